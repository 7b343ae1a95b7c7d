/** Interval is how wide the buckets of a histogram over time are. */
export interface Interval {
  /** text is how Elasticsearch writes it. */
  text: string;
  ms: number;
  /** calendar intervals follow days and months, which are not all as long. */
  calendar: boolean;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const fixed = (text: string, ms: number): Interval => ({ text, ms, calendar: false });
const calendar = (text: string, ms: number): Interval => ({ text, ms, calendar: true });

const INTERVALS: Interval[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => fixed(`${n}ms`, n)),
  ...[1, 2, 5, 10, 15, 30].map((n) => fixed(`${n}s`, n * SECOND)),
  ...[1, 2, 5, 10, 15, 30].map((n) => fixed(`${n}m`, n * MINUTE)),
  ...[1, 2, 3, 6, 12].map((n) => fixed(`${n}h`, n * HOUR)),
  calendar("1d", DAY),
  calendar("1w", 7 * DAY),
  calendar("1M", 30 * DAY),
  calendar("1q", 91 * DAY),
  calendar("1y", 365 * DAY),
];

/** intervalFor is the finest interval that cuts a span into at most so many buckets. */
export function intervalFor(from: number, to: number, most: number): Interval {
  const span = Math.max(1, to - from);
  return INTERVALS.find((interval) => span / interval.ms <= most) ?? calendar("1y", 365 * DAY);
}

/**
 * chosen is the interval that somebody chose, such as "5m", as long as it cuts a span into
 * at most so many buckets.
 */
export function chosen(text: string, from: number, to: number, most: number): Interval | undefined {
  const [, n, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (!n || !unit) return undefined;
  const ms = Number(n) * { s: SECOND, m: MINUTE, h: HOUR, d: DAY }[unit as "s" | "m" | "h" | "d"];
  return (to - from) / ms <= most ? fixed(text, ms) : undefined;
}

/** zone is the browser's time zone, by which days begin. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** overTime is a date_histogram over a span; `empty` has also the buckets without documents. */
export function overTime(field: string, from: number, to: number, interval: Interval, empty = true) {
  return {
    date_histogram: {
      field,
      [interval.calendar ? "calendar_interval" : "fixed_interval"]: interval.text,
      time_zone: zone(),
      min_doc_count: empty ? 0 : 1,
      ...(empty ? { extended_bounds: { min: from, max: to } } : {}),
    },
  };
}

/** within keeps what lies in a span, both ends included. */
export function within(field: string, from: number, to: number) {
  return { range: { [field]: { gte: from, lte: to, format: "epoch_millis" } } };
}
