import { useCallback } from "react";
import { useSearchParams } from "wouter";

/**
 * useUrlState keeps one text of a page in the URL's query, so that a link shows the same.
 * What equals the fallback is left out of it. `push` makes it a step of the history.
 */
export function useUrlState(
  key: string,
  fallback = "",
  options: { push?: boolean } = {},
): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const push = options.push ?? false;
  const set = useCallback(
    (value: string) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (value === fallback) next.delete(key);
          else next.set(key, value);
          return next;
        },
        { replace: !push },
      ),
    [key, fallback, push, setParams],
  );
  return [params.get(key) ?? fallback, set];
}

/** href makes a link of a path and a query, whose empty values are left out. */
export function href(path: string, query: Record<string, string | number | undefined> = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") params.set(key, String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** part makes a path's segment of a name. */
export const part = encodeURIComponent;
