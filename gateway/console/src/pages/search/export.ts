import { writeJson } from "@/format/json";
import type { Hit } from "@/search/store";
import { flat, show, valueAt } from "./document";

export type Format = "csv" | "ndjson";

/** writeRows writes documents as lines; of CSV, `columns` are what it has. */
export function writeRows(hits: readonly Hit[], format: Format, columns: readonly string[]): string {
  if (format === "ndjson") {
    return hits
      .map((hit) => `${writeJson({ _index: hit._index, _id: hit._id, _source: hit._source ?? {} })}\n`)
      .join("");
  }
  return hits.map((hit) => line(columns.map((name) => cell(valueAt(hit._source, name))))).join("");
}

/** head is the first line of a CSV file. */
export function head(columns: readonly string[]): string {
  return line(columns.map(guarded));
}

/** columnsOf are all fields that some of the documents have. */
export function columnsOf(hits: readonly Hit[]): string[] {
  const names = new Set<string>();
  for (const hit of hits) for (const [name] of flat(hit._source ?? {})) names.add(name);
  return [...names];
}

function line(cells: string[]): string {
  return `${cells.map((text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)).join(",")}\r\n`;
}

function cell(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : guarded(show(value));
}

/** guarded keeps a spreadsheet from taking a text for a formula: log lines are written by anybody. */
function guarded(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
