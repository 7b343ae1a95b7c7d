// What a query of documents begins with, so that it draws something at once.

import { type Field, timeFieldOf } from "@/search/fields";
import type { Panel, Search } from "./model";

/** DEMO is the index of the demonstration: what is one's own goes before it. */
const DEMO = "oceanus_test2";

/** indexFor is the index that a new panel is of: that of the last panel, or the first of one's own. */
export function indexFor(panels: readonly Panel[], indices: readonly string[]): string {
  const used = panels
    .flatMap((panel) => panel.queries)
    .findLast((query) => query.source === "search" && query.index !== "");
  if (used?.source === "search") return used.index;
  return indices.find((name) => name !== DEMO) ?? indices[0] ?? "";
}

/**
 * suited fills in what follows from the index's fields: the time, and the field of a
 * text that has its whole values. It is the same query where nothing is to be done.
 */
export function suited(query: Search, fields: readonly Field[]): Search {
  const whole = (name: string) => fields.find((field) => field.name === name)?.whole ?? name;
  const next = {
    timeField: query.timeField || timeFieldOf(fields),
    groupBy: whole(query.groupBy),
    field: query.metric === "cardinality" ? whole(query.field) : query.field,
  };
  const same = next.timeField === query.timeField && next.groupBy === query.groupBy && next.field === query.field;
  return same ? query : { ...query, ...next };
}

/** MissingField is a field by which time should be chosen, and is none of the index. */
export interface MissingField {
  index: string;
  field: string;
  /** dates are the fields with a time that it has. */
  dates: string[];
}

/** missingTime says whether a time field is none of an index's; of an index without any fields nothing is known. */
export function missingTime(index: string, field: string, fields: readonly Field[]): MissingField | undefined {
  const names = fields.flatMap((one) => [one.name, one.whole ?? one.name]);
  if (names.length === 0 || names.includes(field)) return undefined;
  return { index, field, dates: fields.filter((one) => one.kind === "date").map((one) => one.name) };
}
