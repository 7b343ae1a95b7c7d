import type { Field } from "@/search/fields";
import { type Interval, overTime, within } from "@/search/interval";
import type { Body, Hit } from "@/search/store";
import { clausesOf, type Filter } from "./filter";
import { MARK_END, MARK_START } from "./marks";

/** Asked is what one looks for: everything but where and how many. */
export interface Asked {
  query: string;
  filters: readonly Filter[];
  /** timeField is by which time one looks; empty: by none. */
  timeField: string;
  fields: readonly Field[];
}

export interface Span {
  from: number;
  to: number;
}

/** queryOf is the query for what is asked, within a span where there is a time. */
export function queryOf(asked: Asked, span: Span | undefined): Body {
  const { filter, must_not } = clausesOf(asked.filters, asked.fields);
  if (asked.timeField && span) filter.push(within(asked.timeField, span.from, span.to));
  const text = asked.query.trim();
  const must = text === "" || text === "*" ? [] : [queryString(text)];
  if (must.length + filter.length + must_not.length === 0) return { match_all: {} };
  return { bool: { must, filter, must_not } };
}

export function queryString(query: string): Body {
  return { query_string: { query, analyze_wildcard: true } };
}

/** PAGE is how many documents come at once. */
export const PAGE = 200;

/** pageOf asks for a page of documents, the newest first; `after` are the sort values of the last one. */
export function pageOf(asked: Asked, span: Span | undefined, after?: unknown[], size = PAGE): Body {
  return {
    size,
    track_total_hits: false,
    query: queryOf(asked, span),
    sort: sortOf(asked.timeField),
    ...(after ? { search_after: after } : {}),
    ...(asked.query.trim() ? { highlight: HIGHLIGHT } : {}),
  };
}

/** sortOf puts the newest first; documents of one moment by their place, or a page would lose some. */
export function sortOf(timeField: string): Body[] {
  const place = { _doc: { order: "desc" } };
  return timeField ? [{ [timeField]: { order: "desc", unmapped_type: "date" } }, place] : [place];
}

const HIGHLIGHT: Body = {
  pre_tags: [MARK_START],
  post_tags: [MARK_END],
  number_of_fragments: 0,
  require_field_match: false,
  fields: { "*": {} },
};

/** histogramOf asks how many documents there are, and how many over time. */
export function histogramOf(asked: Asked, span: Span | undefined, interval: Interval | undefined): Body {
  return {
    size: 0,
    track_total_hits: true,
    query: queryOf(asked, span),
    ...(asked.timeField && span && interval
      ? { aggs: { time: overTime(asked.timeField, span.from, span.to, interval) } }
      : {}),
  };
}

/** topOf asks for the most frequent values of a field, and of numbers how they lie. */
export function topOf(asked: Asked, span: Span | undefined, field: Field): Body {
  const name = field.whole ?? field.name;
  return {
    size: 0,
    track_total_hits: true,
    query: queryOf(asked, span),
    aggs: {
      top: { terms: { field: name, size: 10 } },
      has: { filter: { exists: { field: name } } },
      ...(field.kind === "number"
        ? { min: { min: { field: name } }, max: { max: { field: name } }, avg: { avg: { field: name } } }
        : {}),
    },
  };
}

/** newestFirst leaves out what came twice: a page may overlap the one before when documents were added. */
export function withoutRepeats(hits: readonly Hit[]): Hit[] {
  const seen = new Set<string>();
  return hits.filter((hit) => {
    const id = idOf(hit);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** idOf is a document's name in a URL. */
export function idOf(hit: Pick<Hit, "_index" | "_id">): string {
  return `${hit._index}/${hit._id}`;
}

/** oneOf asks for the document with an id. */
export function oneOf(id: string): Body {
  return { size: 1, query: { ids: { values: [id.slice(id.indexOf("/") + 1)] } } };
}
