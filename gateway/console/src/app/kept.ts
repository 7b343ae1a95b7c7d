import { useCallback, useState } from "react";

const PREFIX = "weirflow.kept.";

/**
 * useKept is a state that outlives the page in this tab: what one has typed is there
 * again after a session that ended and a new login. `drop` forgets it: after saving.
 * Never keep secrets with it.
 */
export function useKept<T>(key: string, initial: () => T): [T, (next: T) => void, () => void, boolean] {
  const [state, setState] = useState<{ value: T; kept: boolean }>(() => {
    const before = read<T>(key);
    return before === undefined ? { value: initial(), kept: false } : { value: before, kept: true };
  });
  const set = useCallback(
    (value: T) => {
      setState({ value, kept: true });
      try {
        sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
      } catch {
        // Without storage it lives as long as the page.
      }
    },
    [key],
  );
  const drop = useCallback(() => {
    try {
      sessionStorage.removeItem(PREFIX + key);
    } catch {
      // Nothing was kept.
    }
  }, [key]);
  return [state.value, set, drop, state.kept];
}

function read<T>(key: string): T | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}
