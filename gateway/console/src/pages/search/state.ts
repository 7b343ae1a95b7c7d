import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { type Filter, readFilters, writeFilters } from "./filter";

/** SearchState is what one looks for, as the URL has it. */
export interface SearchState {
  index: string;
  query: string;
  filters: Filter[];
  columns: string[];
  /** time is the field chosen; undefined: the one that suits; empty: none. */
  time: string | undefined;
  live: boolean;
  /** document is the one that is open. */
  document: string;
  chart: boolean;
}

export type Change = Partial<SearchState>;

const NO_TIME = "-";

/** useSearchState keeps all of a search in the URL: a link shows the same. */
export function useSearchState(): [SearchState, (change: Change) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const state = useMemo(() => read(new URLSearchParams(text)), [text]);
  const set = useCallback(
    (change: Change) => {
      // A look at a document is no step of the history, another search is; nor is the index
      // with which one begins.
      const begins = "index" in change && Object.keys(change).length === 1;
      const replace =
        begins || Object.keys(change).every((key) => key === "document" || key === "columns" || key === "chart");
      setParams((old) => write(old, change), { replace });
    },
    [setParams],
  );
  return [state, set];
}

function read(params: URLSearchParams): SearchState {
  const time = params.get("time");
  return {
    index: params.get("index") ?? "",
    query: params.get("q") ?? "",
    filters: readFilters(params.get("filters") ?? ""),
    columns: (params.get("columns") ?? "").split(",").filter(Boolean),
    time: time === null ? undefined : time === NO_TIME ? "" : time,
    live: params.get("live") === "1",
    document: params.get("doc") ?? "",
    chart: params.get("chart") !== "0",
  };
}

function write(old: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(old);
  const put = (key: string, value: string | undefined) => {
    if (value) next.set(key, value);
    else next.delete(key);
  };
  if ("index" in change) put("index", change.index);
  if ("query" in change) put("q", change.query);
  if (change.filters) put("filters", writeFilters(change.filters));
  if (change.columns) put("columns", change.columns.join(","));
  if ("time" in change) put("time", change.time === "" ? NO_TIME : change.time);
  if ("live" in change) put("live", change.live ? "1" : "");
  if ("document" in change) put("doc", change.document);
  if ("chart" in change) put("chart", change.chart ? "" : "0");
  return next;
}
