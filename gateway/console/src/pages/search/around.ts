import type { Field } from "@/search/fields";
import type { Body, Hit } from "@/search/store";
import { READ_TIME } from "@/sql/sink";
import { valueAt } from "./document";

/** Lines say by which fields a document is a line of a file. */
export interface Lines {
  /** file has the file's name, position where in it the line is. */
  file: string;
  position: string;
  /** host tells files of one name on several machines apart; empty: there is one. */
  host: string;
}

const FILES = ["log.file.path", "file.path", "path", "filename", "file", "source"];
const POSITIONS = ["log.offset", "offset", "num", "log.file.line", "line"];
const HOSTS = ["host.id", "host.name", "host.hostname", "agent.id", "id", "host", "hostname"];

/** linesOf guesses which fields these are in a document. */
export function linesOf(source: Record<string, unknown>, fields: readonly Field[]): Lines {
  const known = new Map(fields.map((field) => [field.name, field]));
  const has = (name: string) => valueAt(source, name) !== undefined;
  const text = (name: string) => has(name) && known.get(name)?.whole !== undefined;
  return {
    file: FILES.find((name) => text(name) && typeof valueAt(source, name) === "string") ?? "",
    position: POSITIONS.find((name) => has(name) && known.get(name)?.kind === "number") ?? "",
    host: HOSTS.find((name) => text(name) && typeof valueAt(source, name) === "string") ?? "",
  };
}

/**
 * orderField is the time by which lines follow each other: when they were read, where documents
 * have that beside the time that lines say, which lines of a stack trace do not have.
 */
function orderField(source: Record<string, unknown>, timeField: string, fields: readonly Field[]): string {
  const read = fields.some((field) => field.name === READ_TIME && field.kind === "date");
  return read && valueAt(source, READ_TIME) !== undefined ? READ_TIME : timeField;
}

/**
 * aroundOf asks for the lines before or after one of the same file. By time first, where
 * there is one: a file that was rotated begins at 0 again.
 */
export function aroundOf(
  hit: Hit,
  lines: Lines,
  shownTime: string,
  fields: readonly Field[],
  before: boolean,
  size: number,
): Body | undefined {
  const source = hit._source ?? {};
  const position = valueAt(source, lines.position);
  const timeField = orderField(source, shownTime, fields);
  const time = timeField ? valueAt(source, timeField) : undefined;
  if (position === undefined || valueAt(source, lines.file) === undefined) return undefined;
  const order = before ? "desc" : "asc";
  const whole = (name: string) => fields.find((field) => field.name === name)?.whole ?? name;
  const same = [lines.file, lines.host]
    .filter((name) => name !== "" && valueAt(source, name) !== undefined)
    .map((name) => ({ term: { [whole(name)]: { value: valueAt(source, name) } } }));
  const byTime = time !== undefined;
  return {
    size,
    track_total_hits: false,
    query: { bool: { filter: [...same, { exists: { field: lines.position } }] } },
    sort: [...(byTime ? [{ [timeField]: { order } }] : []), { [lines.position]: { order } }],
    search_after: [...(byTime ? [time] : []), position],
  };
}
