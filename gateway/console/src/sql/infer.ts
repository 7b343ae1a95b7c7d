import { parseJson } from "@/format/json";
import { quoteName, quoteText, tableName } from "./names";

/** Shape is what is known of a field's values. */
interface Shape {
  /** kinds are the JSON types seen, null left out. */
  kinds: Set<"boolean" | "integer" | "huge" | "number" | "string" | "object" | "array">;
  fields: Map<string, Shape>;
  element: Shape | undefined;
  /** times counts texts by the way of writing times that they follow. */
  times: Map<TimeForm, number>;
}

/** TimeForm is a way of writing times that Flink's JSON format reads, or none. */
type TimeForm = "iso-utc" | "iso" | "sql-utc" | "sql" | "date" | "none";

type Standard = "ISO-8601" | "SQL";

export interface InferOptions {
  topic: string;
  /** brokers is where the cluster is: the value of properties.bootstrap.servers. */
  brokers?: string;
  table?: string;
  /** startup is the value of scan.startup.mode. */
  startup?: "latest-offset" | "earliest-offset";
  /** computed are further columns, made of the others. */
  computed?: readonly Computed[];
  /** time makes the column that is the time of a row, from the one that would be it without. */
  time?: (otherwise: string) => Computed;
}

/** Computed is a column that is made of others; its name is not quoted yet. */
export interface Computed {
  name: string;
  type: string;
  sql: string;
}

/** Column is a column or a field of one that messages have; its name is not quoted. */
export interface Column {
  name: string;
  type: string;
  fields: Column[];
}

export interface Inferred {
  /** sql is the CREATE TABLE statement. */
  sql: string;
  table: string;
  /** columns are the names at the top, as they are written in SQL. */
  columns: string[];
  /** fields are the same with their types, and what is in them. */
  fields: Column[];
  /** time is the column that the watermark is on, not quoted; empty: none. */
  time: string;
  /** read is the time that would be taken without a computed one: when a line was read. */
  read: string;
  computed: readonly Computed[];
  /** used and skipped are how many messages were JSON objects, and how many not. */
  used: number;
  skipped: number;
}

const MAX_DEPTH = 12;

/** inferTable writes the CREATE TABLE statement that reads messages like these. */
export function inferTable(messages: readonly string[], options: InferOptions): Inferred {
  const root = emptyShape();
  let skipped = 0;
  for (const message of messages) {
    const value = parseJson(message);
    if (typeof value !== "object" || value === null || Array.isArray(value)) skipped++;
    else observe(root, value);
  }
  const table = options.table ?? tableName(options.topic);
  const fields = [...root.fields];
  if (fields.length === 0) return { ...rawTable(table, options), used: 0, skipped };
  const standard = standardOf(root);
  const typed = columnsOf(root, standard, 0);
  const time = fields.find(([, shape]) => isTime(shape, standard))?.[0];
  // A topic's own column of that name stays what it is; then there is no watermark.
  const read = time ?? (root.fields.has(RECORD_TIME) ? "" : RECORD_TIME);
  const usesTimes = timesOf(root).some(([form]) => standardFor(form) === "ISO-8601") && standard === "ISO-8601";
  const extra: [string, string][] = usesTimes ? [["json.timestamp-format.standard", "ISO-8601"]] : [];
  const settings: [string, string][] = [["format", "json"], ["json.ignore-parse-errors", "true"], ...extra];
  return { ...written(table, typed, read, settings, options), used: messages.length - skipped, skipped };
}

const RECORD_TIME = "record_time";

/** rawTable reads messages that are not JSON objects as texts. */
function rawTable(table: string, options: InferOptions) {
  return written(table, [{ name: "message", type: "STRING", fields: [] }], RECORD_TIME, [["format", "raw"]], options);
}

/** written writes the statement of columns, the computed ones behind those that messages have. */
function written(
  table: string,
  fields: Column[],
  read: string,
  settings: [string, string][],
  options: InferOptions,
): Omit<Inferred, "used" | "skipped"> {
  const zoneless = fields.some(({ name, type }) => name === read && type === "TIMESTAMP(3)");
  const otherwise = zoneless ? `CAST(${quoteName(read)} AS TIMESTAMP_LTZ(3))` : quoteName(read);
  const own = read && options.time ? options.time(otherwise) : undefined;
  const computed = [...(own ? [own] : []), ...(options.computed ?? [])];
  const time = own?.name ?? read;
  const lines = [
    ...fields.map(({ name, type }) => `${quoteName(name)} ${type}`),
    ...(read === RECORD_TIME ? [`${RECORD_TIME} TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'`] : []),
    ...computed.map(({ name, sql }) => `${quoteName(name)} AS ${sql}`),
    ...(time ? [watermark(quoteName(time))] : []),
  ];
  const sql = statement(table, lines, [...connector(options), ...settings]);
  return { sql, table, columns: fields.map(({ name }) => quoteName(name)), fields, time, read, computed };
}

/** columnsOf are the fields of an object with their types. */
function columnsOf(shape: Shape, standard: Standard, depth: number): Column[] {
  return [...shape.fields].map(([name, field]) => ({
    name,
    type: typeOf(field, standard, depth),
    fields: field.kinds.size === 1 && field.kinds.has("object") ? columnsOf(field, standard, depth + 1) : [],
  }));
}

function connector(options: InferOptions): [string, string][] {
  return [
    ["connector", "kafka"],
    ["topic", options.topic],
    ["properties.bootstrap.servers", options.brokers ?? "127.0.0.1:9092"],
    ["properties.group.id", `${tableName(options.topic)}_reader`],
    ["scan.startup.mode", options.startup ?? "latest-offset"],
  ];
}

function statement(table: string, lines: string[], settings: [string, string][]): string {
  const indent = (parts: string[]) => parts.map((line) => `  ${line}`).join(",\n");
  const pairs = settings.map(([key, value]) => `${quoteText(key)} = ${quoteText(value)}`);
  return `CREATE TABLE ${quoteName(table)} (\n${indent(lines)}\n) WITH (\n${indent(pairs)}\n);\n`;
}

function watermark(column: string): string {
  return `WATERMARK FOR ${column} AS ${column} - INTERVAL '5' SECOND`;
}

function emptyShape(): Shape {
  return { kinds: new Set(), fields: new Map(), element: undefined, times: new Map() };
}

function observe(shape: Shape, value: unknown): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    shape.kinds.add("array");
    shape.element ??= emptyShape();
    for (const item of value) observe(shape.element, item);
  } else if (typeof value === "object") {
    shape.kinds.add("object");
    for (const [name, field] of Object.entries(value)) {
      const known = shape.fields.get(name) ?? emptyShape();
      shape.fields.set(name, known);
      observe(known, field);
    }
  } else if (typeof value === "string") {
    shape.kinds.add("string");
    const form = timeForm(value);
    shape.times.set(form, (shape.times.get(form) ?? 0) + 1);
  } else if (typeof value === "boolean") shape.kinds.add("boolean");
  else if (typeof value === "bigint") shape.kinds.add(BigInt.asIntN(64, value) === value ? "integer" : "huge");
  else shape.kinds.add(Number.isInteger(value) ? "integer" : "number");
}

/** timeForm tells how a text writes a time; days and hours must be possible ones. */
function timeForm(value: string): TimeForm {
  const match = /^(\d{4}-\d{2}-\d{2})(?:([T ])(\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(Z)?)?$/.exec(value);
  if (!match) return "none";
  const [, day = "", separator, time = "00:00:00", zone] = match;
  if (Number.isNaN(Date.parse(`${day}T${time}Z`))) return "none";
  if (!separator) return "date";
  const style = separator === "T" ? "iso" : "sql";
  return zone ? `${style}-utc` : style;
}

function standardFor(form: TimeForm): Standard | undefined {
  return form.startsWith("iso") ? "ISO-8601" : form.startsWith("sql") ? "SQL" : undefined;
}

/** standardOf is the way most times of all fields are written: a table reads one. */
function standardOf(root: Shape): Standard {
  let iso = 0;
  let sql = 0;
  for (const [form, count] of timesOf(root)) {
    if (standardFor(form) === "ISO-8601") iso += count;
    else if (standardFor(form) === "SQL") sql += count;
  }
  return iso >= sql ? "ISO-8601" : "SQL";
}

function timesOf(shape: Shape): [TimeForm, number][] {
  const below = [...shape.fields.values(), ...(shape.element ? [shape.element] : [])];
  return [...(formOf(shape) ? shape.times : []), ...below.flatMap(timesOf)];
}

/** formOf is the one form that all texts of a field have, if it is one of times. */
function formOf(shape: Shape): TimeForm | undefined {
  if (shape.kinds.size !== 1 || !shape.kinds.has("string") || shape.times.size !== 1) return undefined;
  const form = [...shape.times.keys()][0];
  return form === "none" ? undefined : form;
}

function isTime(shape: Shape, standard: Standard): boolean {
  const form = formOf(shape);
  return form !== undefined && standardFor(form) === standard;
}

function typeOf(shape: Shape, standard: Standard, depth: number): string {
  const { kinds } = shape;
  if (kinds.size === 0) return "STRING";
  const has = (...wanted: string[]) => [...kinds].every((kind) => wanted.includes(kind));
  if (has("boolean")) return "BOOLEAN";
  if (has("integer")) return "BIGINT";
  if (has("integer", "huge")) return "DECIMAL(38, 0)";
  if (has("integer", "huge", "number")) return "DOUBLE";
  if (has("string")) return textType(shape, standard);
  if (has("array") && depth < MAX_DEPTH) {
    return `ARRAY<${typeOf(shape.element ?? emptyShape(), standard, depth + 1)}>`;
  }
  if (has("object") && shape.fields.size > 0 && depth < MAX_DEPTH) {
    const fields = [...shape.fields].map(([name, field]) => `${quoteName(name)} ${typeOf(field, standard, depth + 1)}`);
    return `ROW<${fields.join(", ")}>`;
  }
  // Values of several types: as text, which the JSON format gives for any of them.
  return "STRING";
}

function textType(shape: Shape, standard: Standard): string {
  const form = formOf(shape);
  if (form === "date") return "DATE";
  if (!form || standardFor(form) !== standard) return "STRING";
  // A watermark's column has at most three digits; finer ones are cut.
  return form.endsWith("utc") ? "TIMESTAMP_LTZ(3)" : "TIMESTAMP(3)";
}
