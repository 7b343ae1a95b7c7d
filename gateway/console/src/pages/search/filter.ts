import { parseJson, writeJson } from "@/format/json";
import type { Field } from "@/search/fields";
import type { Body } from "@/search/store";

/** Operation is what a filter asks of a field. */
export type Operation = "is" | "not" | "exists" | "missing";

export type Value = string | number | bigint | boolean;

/** Filter keeps or leaves out documents by the value of a field. */
export interface Filter {
  field: string;
  op: Operation;
  value?: Value;
}

/** readFilters reads the filters of a URL; what is none is left out. */
export function readFilters(text: string): Filter[] {
  const all = parseJson(text);
  if (!Array.isArray(all)) return [];
  return all.flatMap((one: unknown): Filter[] => {
    if (!Array.isArray(one) || typeof one[0] !== "string") return [];
    const [field, op, value] = one as [string, unknown, unknown];
    if (op === "exists" || op === "missing") return [{ field, op }];
    if (op !== "is" && op !== "not") return [];
    return isValue(value) ? [{ field, op, value }] : [];
  });
}

export function writeFilters(filters: readonly Filter[]): string {
  if (filters.length === 0) return "";
  return writeJson(filters.map(({ field, op, value }) => (value === undefined ? [field, op] : [field, op, value])));
}

function isValue(value: unknown): value is Value {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

/** filterOf is the filter for or against a value of a document. */
export function filterOf(field: string, value: unknown, out: boolean): Filter | undefined {
  if (value === null || value === undefined) return { field, op: out ? "exists" : "missing" };
  return isValue(value) ? { field, op: out ? "not" : "is", value } : undefined;
}

/** withFilter adds a filter; one against the same value is replaced by it. */
export function withFilter(filters: readonly Filter[], added: Filter): Filter[] {
  const same = (one: Filter) => one.field === added.field && one.value === added.value;
  return [...filters.filter((one) => !same(one)), added];
}

/** WHOLE is up to how many characters a text's whole value is indexed, unless its mapping says otherwise. */
const WHOLE = 256;

function clause(filter: Filter, field: Field | undefined): Body {
  const { value } = filter;
  if (filter.op === "exists" || filter.op === "missing") return { exists: { field: filter.field } };
  if (field?.kind === "text") {
    const fits = typeof value !== "string" || value.length <= WHOLE;
    if (!field.whole || !fits) return { match_phrase: { [filter.field]: value } };
  }
  const name = field?.kind === "text" ? (field.whole ?? filter.field) : filter.field;
  return { term: { [name]: { value } } };
}

/** clausesOf are a query's filters: what must be, and what must not. */
export function clausesOf(filters: readonly Filter[], fields: readonly Field[]): { filter: Body[]; must_not: Body[] } {
  const known = new Map(fields.map((field) => [field.name, field]));
  const made = { filter: [] as Body[], must_not: [] as Body[] };
  for (const one of filters) {
    const against = one.op === "not" || one.op === "missing";
    made[against ? "must_not" : "filter"].push(clause(one, known.get(one.field)));
  }
  return made;
}
