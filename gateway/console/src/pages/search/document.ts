import { writeJson } from "@/format/json";
import type { Field } from "@/search/fields";
import type { Hit } from "@/search/store";

type Source = Record<string, unknown>;

const isObject = (value: unknown): value is Source =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** valueAt is the value of a field: names with dots are found nested as well as written out. */
export function valueAt(source: unknown, name: string): unknown {
  if (Array.isArray(source)) {
    const values = source.map((one) => valueAt(one, name)).filter((value) => value !== undefined);
    return values.length > 0 ? values.flat() : undefined;
  }
  if (!isObject(source)) return undefined;
  if (Object.hasOwn(source, name)) return source[name];
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
    const head = name.slice(0, dot);
    if (!Object.hasOwn(source, head)) continue;
    const found = valueAt(source[head], name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** flat is a document as fields with dots in their names, in its own order. */
export function flat(source: Source, prefix = ""): [string, unknown][] {
  return Object.entries(source).flatMap(([key, value]): [string, unknown][] => {
    const name = prefix + key;
    return isObject(value) && Object.keys(value).length > 0 ? flat(value, `${name}.`) : [[name, value]];
  });
}

/** show is a value as a cell of a table has it. */
export function show(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.map(String).join(", ");
  return typeof value === "string" ? value : writeJson(value);
}

/** timeOf is a document's time, from the value it is sorted by, or from itself. */
export function timeOf(hit: Hit, field: string): Date | undefined {
  const first = hit.sort?.[0];
  const value =
    typeof first === "number" ? first : first === undefined || field === "" ? valueAt(hit._source, field) : first;
  const at =
    typeof value === "bigint"
      ? new Date(Number(value / 1_000_000n))
      : typeof value === "number" || typeof value === "string"
        ? new Date(typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value)
        : undefined;
  return at && !Number.isNaN(at.getTime()) ? at : undefined;
}

const LINES = ["message", "log", "msg", "event.original"];

/** lineField is the field that tells most of a document: its line. */
export function lineField(source: Source): string | undefined {
  return LINES.find((name) => typeof valueAt(source, name) === "string");
}

/** presentFields are the names of the fields that some of the documents have. */
export function presentFields(hits: readonly Hit[], most = 500): Set<string> {
  const names = new Set<string>();
  for (const hit of hits.slice(0, most)) {
    for (const [name] of flat(hit._source ?? {})) names.add(name);
  }
  return names;
}

/** sampleTop counts the values of a field in the documents at hand: for texts, which the store can't count. */
export function sampleTop(hits: readonly Hit[], field: Field, most = 10): { value: unknown; count: number }[] {
  const counts = new Map<string, { value: unknown; count: number }>();
  for (const hit of hits) {
    const value = valueAt(hit._source, field.name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined || one === null) continue;
      const key = show(one);
      const known = counts.get(key);
      if (known) known.count++;
      else counts.set(key, { value: one, count: 1 });
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, most);
}
