import type { Schema } from "@weirflow/sdk";

/** Kind is what a field holds, as far as a page cares. */
export type Kind = "text" | "keyword" | "number" | "date" | "boolean" | "ip" | "other" | "mixed";

/** Field is a field of an index pattern; what is indexed beneath it is part of it. */
export interface Field {
  name: string;
  types: string[];
  kind: Kind;
  searchable: boolean;
  /** whole is by which name its whole values can be counted and sorted; none for mere text. */
  whole: string | undefined;
}

const NUMBERS = ["long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long"];
const KEYWORDS = ["keyword", "constant_keyword", "wildcard", "flattened"];
const TEXTS = ["text", "match_only_text", "search_as_you_type"];

export function kindOf(types: readonly string[]): Kind {
  const kinds = new Set(types.map(one));
  const [first] = kinds;
  return kinds.size > 1 ? "mixed" : (first ?? "other");
}

function one(type: string): Kind {
  if (NUMBERS.includes(type)) return "number";
  if (KEYWORDS.includes(type)) return "keyword";
  if (TEXTS.includes(type)) return "text";
  if (type === "date" || type === "date_nanos") return "date";
  if (type === "boolean" || type === "ip") return type;
  return "other";
}

/** fieldsOf are the fields of documents: `path.keyword` is part of `path`. */
export function fieldsOf(list: readonly Schema<"Field">[]): Field[] {
  const all = new Map(list.map((field) => [field.name ?? "", field]));
  const fields: Field[] = [];
  for (const [name, field] of all) {
    const parent = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    if (all.has(parent) || name === "" || name.startsWith("_")) continue;
    const types = field.types ?? [];
    fields.push({
      name,
      types,
      kind: kindOf(types),
      searchable: field.searchable ?? false,
      whole: field.aggregatable ? name : beneath(name, all),
    });
  }
  return fields;
}

/** beneath finds the field beneath a text that has its whole values. */
function beneath(name: string, all: Map<string, Schema<"Field">>): string | undefined {
  for (const [other, field] of all) {
    if (other.startsWith(`${name}.`) && field.aggregatable && kindOf(field.types ?? []) === "keyword") return other;
  }
  return undefined;
}

/** timeFieldOf is by which time one looks at first: @timestamp, or the first date there is. */
export function timeFieldOf(fields: readonly Field[]): string {
  const dates = fields.filter((field) => field.kind === "date");
  return (dates.find((field) => field.name === "@timestamp") ?? dates[0])?.name ?? "";
}
