import { useQuery } from "@tanstack/react-query";
import { type RefObject, useEffect, useState } from "react";
import { api } from "@/api/client";
import { fieldsOf } from "@/search/fields";
import { chosen, intervalFor } from "@/search/interval";
import { type Answer, aggregate, documents, type Hit } from "@/search/store";
import type { TimeRangeState } from "@/time/range";
import {
  type Line,
  promLines,
  type Span,
  searchBody,
  searchLines,
  searchQuery,
  wholeBuckets,
  withoutYoung,
} from "./answers";
import { lackOf, type Panel, type PromQL, type Query, type Search } from "./model";
import { builtIn, stepOf } from "./steps";
import { type MissingField, missingTime } from "./suit";
import { filled, filledExpr, type Values } from "./variables";

/** LINES are how many series a panel takes of each query. */
export const LINES = 50;

const POINTS = 200;
const BUCKETS = 120;
/** MOST_BUCKETS bounds what a chosen interval makes of a long time: then it is a longer one. */
const MOST_BUCKETS = 1500;
const LOGS = 200;

/** Figures are what a panel draws. */
export interface Figures {
  lines: Line[];
  hits: Hit[];
  span: Span;
  /** left is how many series are not drawn. */
  left: number;
  warnings: string[];
  /** width is how many milliseconds one bar or point stands for; not set where there is one for all of the time. */
  width: number | undefined;
  /** missing is a time field that an index does not have. */
  missing: MissingField | undefined;
}

/** Look is by what a panel is asked: its queries with the values in them, and the time. */
export interface Look {
  panel: Panel;
  values: Values;
  time: TimeRangeState;
}

/** OVER_TIME are the kinds that draw along the time. */
const OVER_TIME = ["line", "area"];

/** resolved are a panel's queries as they are asked. */
export function resolved(panel: Panel, values: Values): Query[] {
  return panel.queries.map((query) => {
    if (query.source === "promql") return { ...query, instant: query.instant && !OVER_TIME.includes(panel.kind) };
    return {
      ...query,
      index: filled(query.index, values),
      query: filled(query.query, values),
      timeField: filled(query.timeField, values),
      field: filled(query.field, values),
      groupBy: filled(query.groupBy, values),
      legend: filled(query.legend, values),
      overTime: query.overTime || OVER_TIME.includes(panel.kind),
    };
  });
}

/** useFigures asks for a panel's figures while it is in sight, and again as often as the page says. */
export function useFigures({ panel, values, time }: Look, on: boolean) {
  const queries = resolved(panel, values);
  return useQuery({
    queryKey: ["panel", panel.kind, queries, values, time.range],
    enabled: on && panel.kind !== "text" && lackOf(panel) === undefined,
    queryFn: async ({ signal }) => figures(panel, queries, values, time, signal),
    refetchInterval: time.refreshMs,
    staleTime: 2000,
  });
}

async function figures(
  panel: Panel,
  queries: readonly Query[],
  values: Values,
  time: TimeRangeState,
  signal: AbortSignal,
): Promise<Figures> {
  const { from, to } = time.now();
  const span = { from: from.getTime(), to: to.getTime() };
  const settled = await Promise.allSettled(
    queries.map((query, at) => {
      if (query.source === "promql") return prom(query, at, values, span, panel, signal);
      return panel.kind === "logs" ? logs(query, span, signal) : found(query, at, span, panel, signal);
    }),
  );
  const good = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const bad = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (good.length === 0 && bad.length > 0) throw bad[0];
  const lines = good.flatMap((one) => one.lines);
  return {
    lines: lines.slice(0, LINES),
    hits: good.flatMap((one) => one.hits),
    span,
    left: Math.max(0, lines.length - LINES),
    warnings: [...good.flatMap((one) => one.warnings), ...bad.map((e) => (e instanceof Error ? e.message : String(e)))],
    width: good.reduce<number | undefined>((most, { width = 0 }) => Math.max(most ?? 0, width) || undefined, undefined),
    missing: good.find((one) => one.missing)?.missing,
  };
}

type Part = Pick<Figures, "lines" | "hits" | "warnings"> & { width?: number; missing?: MissingField };

async function prom(
  query: PromQL,
  at: number,
  values: Values,
  span: Span,
  panel: Panel,
  signal: AbortSignal,
): Promise<Part> {
  const step = stepOf(span, panel.kind === "stat" ? 60 : POINTS);
  const expr = filledExpr(query.expr, { ...values, ...builtIn(span, step) });
  const legend = filled(query.legend, values);
  // A number has its past beside it, so it asks for a range, too.
  if (query.instant && panel.kind !== "stat") {
    const answer = await api.get("/api/v1/metrics:query", {
      query: { expr, time: new Date(span.to).toISOString(), limit: LINES * 20 },
      signal,
    });
    return { lines: promLines(answer.series ?? [], legend, at), hits: [], warnings: answer.warnings ?? [] };
  }
  const start = Math.floor(span.from / 1000 / step) * step;
  const end = Math.floor(span.to / 1000 / step) * step;
  const answer = await api.get("/api/v1/metrics:queryRange", {
    query: {
      expr,
      start: new Date(start * 1000).toISOString(),
      // A number is of now; along the time, whole steps keep a line from trembling.
      end: panel.kind === "stat" ? new Date(span.to).toISOString() : new Date(end * 1000).toISOString(),
      step: `${step}s`,
      limit: LINES * 2,
    },
    signal,
  });
  const lines = promLines(answer.series ?? [], legend, at);
  // What is not there any more has no value now, though it has a past.
  const now = query.instant ? lines.filter((line) => (line.times.at(-1) ?? 0) > span.to - 2000 * step) : lines;
  return { lines: now, hits: [], warnings: answer.warnings ?? [], width: step * 1000 };
}

/** lacking is the time field that is none of the index, where nothing was found because of that. */
async function lacking(query: Search, answer: Answer, signal: AbortSignal): Promise<MissingField | undefined> {
  if ((answer.hits?.total?.value ?? answer.hits?.hits?.length ?? 0) > 0) return undefined;
  const told = await api.get("/api/v1/indices/{pattern}/fields", { path: { pattern: query.index }, signal });
  return missingTime(query.index, query.timeField || "@timestamp", fieldsOf(told.fields ?? []));
}

async function found(query: Search, at: number, span: Span, panel: Panel, signal: AbortSignal): Promise<Part> {
  const interval = query.overTime
    ? (chosen(query.interval, span.from, span.to, MOST_BUCKETS) ?? intervalFor(span.from, span.to, BUCKETS))
    : undefined;
  const answer = await aggregate(query.index, searchBody(query, span, interval), signal);
  const missing = await lacking(query, answer, signal);
  if (missing) return { lines: [], hits: [], warnings: [], missing };
  const lines = searchLines(query, answer, span, at);
  const sums = interval && OVER_TIME.includes(panel.kind) && ["", "count", "sum"].includes(query.metric);
  return {
    // A mean has no value where nothing was written: some moments are no gap, minutes are.
    lines: lines.map((line) => {
      if (!interval) return line;
      if (sums) return wholeBuckets(line, span, interval.ms);
      return { ...withoutYoung(line, span, interval.ms), bridge: 6 * interval.ms };
    }),
    hits: [],
    warnings: [],
    ...(interval ? { width: interval.ms } : {}),
  };
}

async function logs(query: Search, span: Span, signal: AbortSignal): Promise<Part> {
  const timeField = query.timeField || "@timestamp";
  const answer = await documents(
    query.index,
    {
      size: LOGS,
      track_total_hits: false,
      query: searchQuery(query, span),
      sort: [{ [timeField]: { order: "desc", unmapped_type: "date" } }, { _doc: { order: "desc" } }],
    },
    signal,
  );
  const missing = await lacking(query, answer, signal);
  return { lines: [], hits: answer.hits?.hits ?? [], warnings: [], ...(missing ? { missing } : {}) };
}

/** useInSight says whether an element was near the window's content: what is far below asks for nothing. */
export function useInSight(box: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) setNear(entry.isIntersecting);
      },
      { rootMargin: "200px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return near;
}
