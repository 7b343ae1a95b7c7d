import { type InfiniteData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "@/api/client";
import { type Field, fieldsOf, timeFieldOf } from "@/search/fields";
import { intervalFor } from "@/search/interval";
import { type Answer, aggregate, documents, type Hit } from "@/search/store";
import type { TimeRangeState } from "@/time/range";
import { type Asked, histogramOf, PAGE, pageOf, type Span, withoutRepeats } from "./request";
import type { SearchState } from "./state";

/** MOST is how many documents the table holds. */
export const MOST = 10_000;

const BARS = 90;

/** useFields are the fields of an index pattern. */
export function useFields(pattern: string) {
  const query = useQuery({
    queryKey: ["fields", pattern],
    enabled: pattern !== "",
    queryFn: ({ signal }) => api.get("/api/v1/indices/{pattern}/fields", { path: { pattern }, signal }),
    staleTime: 30_000,
    placeholderData: undefined,
  });
  const fields = useMemo<Field[]>(() => fieldsOf(query.data?.fields ?? []), [query.data]);
  return { query, fields };
}

/** spanOf is the time looked at in milliseconds, as it is now. */
export function spanOf(time: TimeRangeState): Span {
  const { from, to } = time.now();
  return { from: from.getTime(), to: to.getTime() };
}

/** askedOf is what the state of a page asks. */
export function askedOf(state: SearchState, fields: readonly Field[]): Asked {
  return {
    query: state.query,
    filters: state.filters,
    timeField: state.time ?? timeFieldOf(fields),
    fields,
  };
}

/** keyOf says for the cache what is asked; fields that are not known yet count for nothing. */
function keyOf(pattern: string, asked: Asked, time: TimeRangeState) {
  return [
    pattern,
    asked.query,
    asked.filters,
    asked.timeField,
    asked.timeField ? time.range : null,
    asked.fields.length,
  ];
}

/** useHistogram counts what is found, and over time. */
export function useHistogram(pattern: string, asked: Asked, time: TimeRangeState, ready: boolean) {
  return useQuery({
    queryKey: ["search-histogram", ...keyOf(pattern, asked, time)],
    enabled: ready,
    queryFn: async ({ signal }) => {
      const span = spanOf(time);
      const interval = asked.timeField ? intervalFor(span.from, span.to, BARS) : undefined;
      const answer = await aggregate(pattern, histogramOf(asked, span, interval), signal);
      return { answer, span, interval };
    },
    refetchInterval: asked.timeField ? time.refreshMs : false,
  });
}

type Pages = InfiniteData<Answer, unknown[] | undefined>;

/** useDocuments are the documents found, the newest first, page by page. */
export function useDocuments(pattern: string, asked: Asked, time: TimeRangeState, ready: boolean) {
  const pages = useInfiniteQuery({
    queryKey: ["search-documents", ...keyOf(pattern, asked, time)],
    enabled: ready,
    initialPageParam: undefined as unknown[] | undefined,
    queryFn: ({ pageParam, signal }) => documents(pattern, pageOf(asked, spanOf(time), pageParam), signal),
    getNextPageParam: (page, all) => {
      const hits = page.hits?.hits ?? [];
      return hits.length < PAGE || all.length * PAGE >= MOST ? undefined : hits.at(-1)?.sort;
    },
    // Who has paged on reads: the pages stay as they are.
    refetchInterval: (query) => {
      const data = query.state.data as Pages | undefined;
      return asked.timeField && (data?.pages.length ?? 0) <= 1 ? time.refreshMs : false;
    },
    refetchOnWindowFocus: false,
  });
  const rows = useMemo<Hit[]>(
    () => withoutRepeats((pages.data?.pages ?? []).flatMap((page) => page.hits?.hits ?? [])),
    [pages.data],
  );
  return { pages, rows };
}

/** failuresOf says in words what a search did not reach. */
export function failuresOf(answer: Answer | undefined): string | undefined {
  const failures = answer?._shards?.failures;
  if (!failures?.length) return undefined;
  return failures
    .slice(0, 3)
    .map((one) => [one.index, one.reason?.reason].filter(Boolean).join(": "))
    .join("; ");
}
