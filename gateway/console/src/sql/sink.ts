import type { Column, Inferred } from "./infer";
import { quoteName, quoteText } from "./names";
import { lastQuery, splitStatements, stripComments } from "./statements";

// Where the rows of a job go: the tables of targets, and the INSERT that fills them.

/** Places are the addresses that statements name. */
export interface Places {
  brokers: string;
  searchUrl: string;
}

/** SinkColumn is a column of a target; `from` is the expression that fills it. */
export interface SinkColumn {
  name: string;
  type: string;
  from: string;
}

export type Target = "index" | "topic" | "alert";

/** indexName makes a name that an index may have. */
export function indexName(of: string): string {
  return (
    of
      .toLowerCase()
      .replace(/[^a-z0-9_.-]+/g, "-")
      .replace(/^[-_.]+/, "") || "documents"
  );
}

/** indexTable is the table of an index in the store of the installation, which needs no password. */
function indexTable(table: string, columns: readonly Named[], index: string, places: Places): string {
  return createTable(table, columns, [
    ["connector", "elasticsearch-7"],
    ["hosts", places.searchUrl],
    ["index", indexName(index)],
    // Without it times are written in a form that the store takes for a text.
    ["json.timestamp-format.standard", "ISO-8601"],
  ]);
}

interface Named {
  name: string;
  type: string;
}

function createTable(table: string, columns: readonly Named[], settings: [string, string][]): string {
  const lines = columns.map(({ name, type }) => `  ${quoteName(name)} ${type}`);
  const pairs = settings.map(([key, value]) => `  ${quoteText(key)} = ${quoteText(value)}`);
  return `CREATE TABLE ${quoteName(table)} (\n${lines.join(",\n")}\n) WITH (\n${pairs.join(",\n")}\n);\n`;
}

/** indexJob is what stands behind an inferred table so that its rows become documents. */
export function indexJob(inferred: Inferred, topic: string, places: Places): string {
  const target = `${inferred.table}_out`;
  const columns = documentColumns(inferred);
  const from = columns.map((column) => `  ${column.from}`).join(",\n");
  const table = indexTable(target, columns, topic, places);
  return `${table}\nINSERT INTO ${quoteName(target)}\nSELECT\n${from}\nFROM ${quoteName(inferred.table)};\n`;
}

// What agents say of themselves and of the event: of no use in most documents.
const ABOUT = new Set([
  "@timestamp",
  "@metadata",
  "agent",
  "ecs",
  "input",
  "event",
  "log",
  "host",
  "message",
  "stream",
]);

/**
 * documentColumns are the columns of documents. Search knows @timestamp, and by log.file.path
 * and log.offset the lines around one: a name with a dot is a field within another there.
 */
export function documentColumns(inferred: Inferred): SinkColumn[] {
  const { fields, computed, read, time } = inferred;
  const own = computed.some((column) => column.name === time);
  const typeOf = (path: string[]) => leaf(fields, path)?.type;
  const columns: SinkColumn[] = [];
  const add = (name: string, type: string, from: string) => {
    if (!columns.some((column) => column.name === name)) columns.push({ name, type, from });
  };
  const pick = (...path: string[]) => {
    const type = typeOf(path);
    if (type) add(path.join("."), type, path.map(quoteName).join("."));
  };
  const ltz = "TIMESTAMP_LTZ(3)";
  // A time of the messages' own keeps its name: Search takes any field that is one.
  if (own || (time && !typeOf([time]))) add("@timestamp", ltz, quoteName(time));
  else if (time) pick(time);
  pick("@timestamp");
  const ofFile = typeOf(["log", "file", "path"]) !== undefined && typeOf(["message"]) !== undefined;
  if (ofFile) {
    pick("message");
    pick("log", "file", "path");
    pick("log", "offset");
    pick("host", "name");
  }
  for (const column of computed) if (column.name !== time) add(column.name, column.type, quoteName(column.name));
  for (const field of fields) {
    if (ofFile && ABOUT.has(field.name)) continue;
    if (own && field.name === read) continue;
    add(field.name, field.type, quoteName(field.name));
  }
  if (own && read) add(READ_TIME, typeOf([read]) ?? ltz, quoteName(read));
  return columns;
}

/** READ_TIME is the field of documents that says when a line was read, where @timestamp is what the line says. */
export const READ_TIME = "read_time";

function leaf(fields: readonly Column[], path: readonly string[]): Column | undefined {
  const [first, ...rest] = path;
  const found = fields.find((field) => field.name === first);
  return rest.length === 0 ? found : found && leaf(found.fields, rest);
}

const TABLE =
  /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?((?:`[^`]+`|[\w$.]+)+)/i;

interface Declared {
  /** name is as it is written. */
  name: string;
  text: string;
}

function declared(script: string): Declared[] {
  return splitStatements(script).flatMap(({ text }) => {
    const name = TABLE.exec(stripComments(text))?.[1];
    return name ? [{ name, text }] : [];
  });
}

const VIEW = "weirflow_rows";

/** Rows are the query whose rows are to be written, and the script that tells its columns. */
export interface Rows {
  sql: string;
  /** catalog defines a view of the query, by the name `view`. */
  catalog: string;
  view: string;
}

/** rowsOf is what a target would be filled with: the last SELECT, or all of the first table. */
export function rowsOf(script: string): Rows | undefined {
  const query = lastQuery(script);
  const first = declared(script)[0];
  const sql = query?.sql ?? (first && `SELECT * FROM ${first.name}`);
  if (!sql) return undefined;
  return { sql, catalog: `${query?.defines ?? `${script}\n;\n`}CREATE VIEW ${VIEW} AS\n${sql};\n`, view: VIEW };
}

/** writeTo puts a target's table and its INSERT into a script, in place of a SELECT that stands alone. */
export function writeTo(script: string, target: Target, columns: readonly Named[], places: Places): string {
  const rows = rowsOf(script);
  if (!rows) return script;
  const query = lastQuery(script);
  const source = sourceOf(script, rows.sql);
  const plain = source.name.split(".").at(-1)?.replaceAll("`", "") ?? "rows";
  const table = unused(script, `${plain}_${target === "alert" ? "alert" : "out"}`);
  const named = columns.map((column, i) => ({ name: nameOf(column.name, i), type: typeIn(column.type) }));
  const put =
    target === "alert" ? alertOf(table, named, rows.sql) : tableOf(table, target, named, rows.sql, source, places);
  if (query?.bare) {
    const after = script.slice(query.to).replace(/^\s*;?\s*/, "");
    return `${script.slice(0, query.from)}${put}${after ? `\n${after}` : ""}`;
  }
  const before = script.trimEnd();
  return `${before}${/;$|^$/.test(before) ? "" : ";"}\n\n${put}`;
}

function tableOf(
  table: string,
  target: Target,
  columns: readonly Named[],
  sql: string,
  source: { topic: string },
  places: Places,
): string {
  const made =
    target === "index"
      ? indexTable(table, columns, source.topic, places)
      : createTable(table, columns, [
          ["connector", "kafka"],
          ["topic", `${source.topic}-out`],
          ["properties.bootstrap.servers", places.brokers],
          ["format", "json"],
          ["json.timestamp-format.standard", "ISO-8601"],
        ]);
  return `${made}\nINSERT INTO ${quoteName(table)}\n${sql};\n`;
}

const SUMMARIES = ["summary", "message", "msg", "line"];

/** alertOf raises alerts: of lines with errors, where there are lines; the condition is there to be changed. */
function alertOf(table: string, columns: readonly Named[], sql: string): string {
  const texts = columns.filter((column) => /^(STRING|VARCHAR)/.test(column.type));
  const line = texts.find((column) => SUMMARIES.includes(column.name));
  const first = line ?? texts[0] ?? columns[0];
  const name = quoteName(first?.name ?? "message");
  const summary = texts.includes(first as Named) ? name : `CAST(${name} AS STRING)`;
  const where = line ? `\nWHERE ${name} LIKE '%ERROR%'` : "";
  const made = createTable(
    table,
    [
      { name: "summary", type: "STRING" },
      { name: "severity", type: "STRING" },
    ],
    [
      ["connector", "alert"],
      ["resolve-after", "10 min"],
    ],
  );
  const indented = sql.replace(/^/gm, "  ");
  return `${made}\nINSERT INTO ${quoteName(table)}\nSELECT ${summary}, 'warning'\nFROM (\n${indented}\n) AS found${where};\n`;
}

/** sourceOf is the table that a query reads, and its topic. */
function sourceOf(script: string, sql: string): { name: string; topic: string } {
  const tables = declared(script);
  const text = stripComments(sql);
  const read = tables.find(({ name }) =>
    new RegExp(`(?:FROM|JOIN|TABLE)\\s+${literal(name)}(?![\\w\`])`, "i").test(text),
  );
  const found = read ?? tables[0];
  const name = found?.name ?? "rows";
  const topic = /'topic'\s*=\s*'([^']+)'/.exec(found?.text ?? "")?.[1];
  return { name, topic: topic?.split(";")[0] ?? name.replaceAll("`", "") };
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function unused(script: string, wanted: string): string {
  const names = new Set(declared(script).map(({ name }) => name.replaceAll("`", "").toLowerCase()));
  let name = wanted;
  for (let i = 2; names.has(name.toLowerCase()); i++) name = `${wanted}_${i}`;
  return name;
}

/** nameOf is a column's name; EXPR$3 is none that one would want to see. */
function nameOf(name: string, at: number): string {
  return /^EXPR\$\d+$/.test(name) ? `column_${at + 1}` : name;
}

/** typeIn is a type as a target's column has it: that it is no time of the stream, and may be null. */
function typeIn(type: string): string {
  return type.replace(/\s*\*(?:ROW|PROC)TIME\*/i, "").replace(/\s+NOT NULL$/i, "");
}
