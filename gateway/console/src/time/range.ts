import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

/** TimeRange is what a page looks at: each end is `now`, `now-15m`, or a time in ISO 8601. */
export interface TimeRange {
  from: string;
  to: string;
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** QUICK are the ranges offered by name. */
export const QUICK = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "30d"] as const;

/** REFRESH are the intervals offered, in seconds; 0 is off. */
export const REFRESH = [0, 1, 5, 10, 30, 60, 300] as const;

export const DEFAULT_RANGE: TimeRange = { from: "now-15m", to: "now" };

/** resolve is the moment that one end of a range means; undefined for what is none. */
export function resolve(end: string, now: Date): Date | undefined {
  if (end === "now") return now;
  const match = /^now-(\d+)([smhdw])$/.exec(end);
  if (match) return new Date(now.getTime() - Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0));
  const at = new Date(/^\d+$/.test(end) ? Number(end) : end);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** quickOf is the name of a range that ends now, such as 15m. */
export function quickOf(range: TimeRange): string | undefined {
  if (range.to !== "now") return undefined;
  return /^now-(\d+[smhdw])$/.exec(range.from)?.[1];
}

export interface TimeRangeState {
  range: TimeRange;
  /** live: the range ends now and moves on. */
  live: boolean;
  /** refreshMs is how often to ask again; false is never: as react-query's refetchInterval. */
  refreshMs: number | false;
  /** now resolves the range at this moment. */
  now: () => { from: Date; to: Date };
  setRange: (range: TimeRange) => void;
  /** zoom sets the range to what was dragged on a chart. */
  zoom: (from: Date, to: Date) => void;
  setRefresh: (seconds: number) => void;
}

/** useTimeRange is the page's one time range, kept in the URL: ?from=now-15m&to=now&refresh=5 */
export function useTimeRange(fallback: TimeRange = DEFAULT_RANGE, fallbackRefresh = 10): TimeRangeState {
  const [params, setParams] = useSearchParams();
  const from = params.get("from") ?? fallback.from;
  const to = params.get("to") ?? fallback.to;
  const refresh = Number(params.get("refresh") ?? fallbackRefresh);

  const setRange = useCallback(
    (range: TimeRange) =>
      setParams((old) => {
        const next = new URLSearchParams(old);
        next.set("from", range.from);
        next.set("to", range.to);
        return next;
      }),
    [setParams],
  );
  const setRefresh = useCallback(
    (seconds: number) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          next.set("refresh", String(seconds));
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );

  return useMemo(() => {
    const usable = resolve(from, new Date()) && resolve(to, new Date());
    const range = usable ? { from, to } : fallback;
    const live = range.to === "now";
    return {
      range,
      live,
      refreshMs: live && refresh > 0 ? refresh * 1000 : false,
      now: () => {
        const at = new Date();
        return { from: resolve(range.from, at) ?? at, to: resolve(range.to, at) ?? at };
      },
      setRange,
      zoom: (a, b) => setRange({ from: a.toISOString(), to: b.toISOString() }),
      setRefresh,
    } satisfies TimeRangeState;
  }, [from, to, refresh, fallback, setRange, setRefresh]);
}
