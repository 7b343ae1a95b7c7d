import type { Span } from "./answers";
import type { Values } from "./variables";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

/** stepOf is how many seconds lie between two points, so that there are at most so many. */
export function stepOf(span: Span, points: number): number {
  const seconds = (span.to - span.from) / 1000;
  return STEPS.find((step) => seconds / step <= points) ?? Math.ceil(seconds / points);
}

const SCRAPE = 15;

/** builtIn are the variables that Grafana knows: a rate needs four scrapes to be seen whole. */
export function builtIn(span: Span, step: number): Values {
  const range = Math.max(1, Math.round((span.to - span.from) / 1000));
  return {
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __rate_interval: `${Math.max(step + SCRAPE, 4 * SCRAPE)}s`,
    __range: `${range}s`,
    __range_s: String(range),
    __range_ms: String(range * 1000),
  };
}
