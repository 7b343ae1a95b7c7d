import type { Schema } from "@weirflow/sdk";
import { date } from "@/api/numbers";
import { type Interval, overTime, within } from "@/search/interval";
import type { Aggregation, Answer, Body, Bucket } from "@/search/store";
import type { TimeSeries } from "@/ui";
import type { Search } from "./model";

/** Line is a series of values, with what it is of. */
export interface Line {
  name: string;
  labels: Record<string, string>;
  /** query says which of the panel's queries it comes from. */
  query: number;
  times: number[];
  values: (number | null)[];
  /** bridge is up to how many milliseconds without a value a line goes on; a longer time is a gap. */
  bridge?: number;
}

export interface Span {
  from: number;
  to: number;
}

/** number is a value as JSON has it: NaN and the infinities are texts, which no line has. */
function number(value: unknown): number | null {
  const n = value === null ? Number.NaN : Number(value ?? 0);
  return Number.isFinite(n) ? n : null;
}

/** promLines are the series of a PromQL answer. */
export function promLines(series: readonly Schema<"Series">[], legend: string, query: number): Line[] {
  const all = series.map((one) => one.labels ?? {});
  const names = namesOf(all);
  return series.map((one, i) => {
    const samples = one.samples ?? [];
    return {
      name: legend ? filledLegend(legend, all[i] ?? {}) : (names[i] ?? ""),
      labels: all[i] ?? {},
      query,
      times: samples.map((sample) => date(sample.time)?.getTime() ?? 0),
      values: samples.map((sample) => number(sample.value)),
    };
  });
}

/** filledLegend puts labels' values into a legend: {{job}}. */
export function filledLegend(legend: string, labels: Record<string, string>): string {
  return legend.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim();
}

/** namesOf tells series apart by those labels in which they differ. */
export function namesOf(all: readonly Record<string, string>[]): string[] {
  const keys = [...new Set(all.flatMap((labels) => Object.keys(labels)))].filter(
    (key) => new Set(all.map((labels) => labels[key])).size > 1,
  );
  return all.map((labels) => {
    const text = keys
      .filter((key) => labels[key])
      .map((key) => (keys.length === 1 ? labels[key] : `${key}=${labels[key]}`))
      .join(" ");
    return text || labels.__name__ || "";
  });
}

const GROUPS = 10;

/** searchBody asks for a search query's figures; without an interval, one for the whole span. */
export function searchBody(query: Search, span: Span, interval: Interval | undefined): Body {
  const timeField = query.timeField || "@timestamp";
  const metric = metricOf(query);

  const inner = interval
    ? {
        time: {
          ...overTime(timeField, span.from, span.to, interval),
          ...(metric ? { aggs: { metric } } : {}),
        },
      }
    : metric
      ? { metric }
      : undefined;
  const aggs = query.groupBy
    ? {
        groups: {
          terms: { field: query.groupBy, size: query.size || GROUPS, order: { _count: "desc" } },
          ...(inner ? { aggs: inner } : {}),
        },
      }
    : inner;
  return { size: 0, track_total_hits: true, query: searchQuery(query, span), ...(aggs ? { aggs } : {}) };
}

/** searchQuery keeps what a query is about, in the time shown. */
export function searchQuery(query: Search, span: Span): Body {
  const text = query.query.trim();
  return {
    bool: {
      must: text === "" || text === "*" ? [] : [{ query_string: { query: text, analyze_wildcard: true } }],
      filter: [within(query.timeField || "@timestamp", span.from, span.to)],
    },
  };
}

function metricOf(query: Search): Body | undefined {
  const { metric, field } = query;
  if (metric === "" || metric === "count") return undefined;
  if (/^p\d/.test(metric)) return { percentiles: { field, percents: [Number(metric.slice(1))], keyed: false } };
  return { [metric]: { field } };
}

/** searchLines are the figures of an answer to searchBody. */
export function searchLines(query: Search, answer: Answer, span: Span, at: number): Line[] {
  const own = query.metric === "count" || query.metric === "" ? "count" : `${query.metric} ${query.field}`;
  const line = (holder: Holder, labels: Record<string, string>): Line => ({
    name: query.legend ? filledLegend(query.legend, labels) : (Object.values(labels)[0] ?? own),
    labels,
    query: at,
    ...points(holder, query, span),
  });
  const groups = answer.aggregations?.groups;
  if (groups) {
    return (groups.buckets ?? []).map((bucket) =>
      line(bucket as Holder, { [query.groupBy]: bucket.key_as_string ?? String(bucket.key) }),
    );
  }
  const total = answer.hits?.total?.value ?? 0;
  return [line({ ...answer.aggregations, doc_count: total } as Holder, {})];
}

/** Holder is what a figure is in: a bucket, or the whole answer. */
interface Holder {
  doc_count: number;
  time?: Aggregation;
  metric?: Aggregation;
}

function points(holder: Holder, query: Search, span: Span): { times: number[]; values: (number | null)[] } {
  const buckets = holder.time?.buckets;
  if (!buckets) return { times: [span.to], values: [figure(holder, query)] };
  return {
    times: buckets.map((bucket: Bucket) => Number(bucket.key)),
    values: buckets.map((bucket: Bucket) => figure(bucket as unknown as Holder, query)),
  };
}

function figure(holder: Holder, query: Search): number | null {
  if (query.metric === "" || query.metric === "count") return holder.doc_count;
  const metric = holder.metric;
  const value = metric?.values ? metric.values[0]?.value : metric?.value;
  // A sum over no documents is no 0: there is nothing to sum.
  if (holder.doc_count === 0) return null;
  return value === undefined || value === null ? null : number(value);
}

/**
 * wholeBuckets leaves the first and the last bucket out of counts and sums where the
 * time shown cuts them: they would look like a fall.
 */
export function wholeBuckets(line: Line, span: Span, width: number): Line {
  const keep = line.times.map((time) => time >= span.from && time + width <= span.to);
  if (keep.filter(Boolean).length < 2) return line;
  return {
    ...line,
    times: line.times.filter((_, i) => keep[i]),
    values: line.values.filter((_, i) => keep[i]),
  };
}

/**
 * withoutYoung leaves out the last value of a line while its time has only begun: a mean
 * of few documents jumps. The only value that there is stays.
 */
export function withoutYoung(line: Line, span: Span, width: number): Line {
  const last = line.times.at(-1);
  if (last === undefined || last + width / 2 <= span.to) return line;
  const values = line.values.slice(0, -1);
  if (values.every((value) => value === null)) return line;
  return { ...line, times: line.times.slice(0, -1), values };
}

/** chartOf puts lines on one row of times; where one has no value, there is a gap. */
export function chartOf(lines: readonly Line[]): { times: number[]; series: TimeSeries[] } {
  const times = [...new Set(lines.flatMap((line) => line.times))].sort((a, b) => a - b);
  const at = new Map(times.map((time, i) => [time, i]));
  const series = lines.map((line) => {
    const values = new Array<number | null | undefined>(times.length).fill(null);
    line.times.forEach((time, i) => {
      values[at.get(time) ?? 0] = line.values[i] ?? null;
    });
    if (line.bridge) bridge(times, values, line.bridge);
    return { name: line.name, values };
  });
  return { times, series };
}

/** bridge lets a line go on where it has no value for a short time only. */
function bridge(times: readonly number[], values: (number | null | undefined)[], most: number): void {
  let last = -1;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null) continue;
    const gap = (times[i] ?? 0) - (times[last] ?? 0);
    if (last >= 0 && i - last > 1 && gap <= most) values.fill(undefined, last + 1, i);
    last = i;
  }
}

/** lastOf is a line's last value; none if it ended long before the others. */
export function lastOf(line: Line): number | null {
  return line.values.findLast((value) => value !== null) ?? null;
}

export interface Row {
  labels: Record<string, string>;
  /** values belong to the panel's queries, one each. */
  values: (number | null)[];
}

export interface Rows {
  /** columns are the labels in which rows differ. */
  columns: string[];
  /** common are the labels that all rows share. */
  common: [string, string][];
  rows: Row[];
}

/** rowsOf joins lines of the same labels to rows, with a value for each query. */
export function rowsOf(lines: readonly Line[], queries: number): Rows {
  const rows = new Map<string, Row>();
  for (const line of lines) {
    const { __name__: _, ...labels } = line.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    const row = rows.get(key) ?? { labels, values: new Array<number | null>(queries).fill(null) };
    row.values[line.query] = lastOf(line);
    rows.set(key, row);
  }
  const all = [...rows.values()];
  const names = [...new Set(all.flatMap((row) => Object.keys(row.labels)))].sort();
  const first = all[0];
  const shared = (name: string) => all.length > 1 && all.every((row) => row.labels[name] === first?.labels[name]);
  return {
    columns: names.filter((name) => !shared(name)),
    common: names.filter(shared).map((name) => [name, first?.labels[name] ?? ""]),
    rows: all,
  };
}
