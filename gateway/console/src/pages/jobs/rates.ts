import { useMemo, useRef } from "react";

const SLOTS = 60;

interface Seen {
  at: number;
  total: number;
  rates: number[];
}

/** Rates are how fast counters grow, with their past for a sparkline. */
export interface Rates {
  now: (key: string) => number | undefined;
  past: (key: string) => readonly number[];
}

/** useRates compares counters with the look before. A counter that fell began anew. */
export function useRates(counters: ReadonlyMap<string, number>, at: number): Rates {
  const seen = useRef(new Map<string, Seen>());
  return useMemo(() => {
    const next = new Map<string, Seen>();
    for (const [key, total] of counters) {
      const before = seen.current.get(key);
      const seconds = before ? (at - before.at) / 1000 : 0;
      if (!before || total < before.total) next.set(key, { at, total, rates: [] });
      else if (seconds < 0.2) next.set(key, before);
      else {
        const rates = [...before.rates.slice(1 - SLOTS), (total - before.total) / seconds];
        next.set(key, { at, total, rates });
      }
    }
    seen.current = next;
    return {
      now: (key) => next.get(key)?.rates.at(-1),
      past: (key) => next.get(key)?.rates ?? [],
    };
  }, [counters, at]);
}
