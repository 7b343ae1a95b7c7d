import { quoteName, quoteText } from "./names";
import { RESERVED } from "./reserved";

// What lines of logs have in common: a time in front, a level, key=value, numbers with a unit or a name.

/** LineTime is how lines write the time that they begin with. */
export interface LineTime {
  separator: "T" | " ";
  /** zone: Z or +08:00 is "colon", +0800 is "plain"; without one the time is that of the machine. */
  zone: "colon" | "plain" | "none";
  millis: boolean;
  comma: boolean;
}

export type PartType = "STRING" | "BIGINT" | "DOUBLE";

/** Part is a column that is taken out of a line: what the first group of a pattern matches. */
export interface Part {
  name: string;
  pattern: string;
  type: PartType;
}

/** LEAST is how many of the lines must have something that is offered as a column. */
const LEAST = 0.8;
const FEWEST_LINES = 3;
const MOST_PARTS = 12;

const TIME =
  /^\[?(\d{4}-\d{2}-\d{2})([T ])(\d{2}:\d{2}:\d{2})(?:([.,])(\d{1,9}))?(Z|[+-]\d{2}:\d{2}|[+-]\d{4})?(?![\d:])/;

/** lineTime says how lines write the time in front, where nearly all do it in one way. */
export function lineTime(lines: readonly string[]): LineTime | undefined {
  const counts = new Map<string, { time: LineTime; count: number }>();
  for (const line of lines) {
    const time = timeOf(line);
    if (!time) continue;
    const key = JSON.stringify(time);
    const known = counts.get(key) ?? { time, count: 0 };
    known.count++;
    counts.set(key, known);
  }
  const most = [...counts.values()].sort((a, b) => b.count - a.count)[0];
  return most && enough(most.count, lines) ? most.time : undefined;
}

function timeOf(line: string): LineTime | undefined {
  const match = TIME.exec(line);
  if (!match) return undefined;
  const [, day = "", separator, clock = "", mark, digits = "", zone] = match;
  if (Number.isNaN(Date.parse(`${day}T${clock}Z`))) return undefined;
  return {
    separator: separator === "T" ? "T" : " ",
    zone: !zone ? "none" : zone === "Z" || zone.includes(":") ? "colon" : "plain",
    millis: digits.length >= 3,
    comma: mark === ",",
  };
}

function enough(count: number, lines: readonly string[]): boolean {
  return lines.length >= FEWEST_LINES && count >= lines.length * LEAST;
}

const SECONDS = "\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}";

/**
 * lineTimeSql is the time that a line begins with. A line without one, such as that of a stack
 * trace, gets the other time: a column that has the watermark must not be null.
 */
export function lineTimeSql(time: LineTime, line: string, otherwise: string): string {
  return `COALESCE(${time.zone === "none" ? localSql(time, line) : zonedSql(time, line)}, ${otherwise})`;
}

/** localSql reads a time without a zone: it is one of the zone that the job has. */
function localSql(time: LineTime, line: string): string {
  const fraction = time.millis ? "[.,]\\d{3}" : "";
  let text = extract(line, `^\\[?(${SECONDS}${fraction})`);
  if (time.separator === "T") text = `REPLACE(${text}, 'T', ' ')`;
  if (time.millis && time.comma) text = `REPLACE(${text}, ',', '.')`;
  return `TRY_CAST(${text} AS TIMESTAMP_LTZ(3))`;
}

/** zonedSql reads a time with its zone: seconds by UNIX_TIMESTAMP, which knows zones, and the milliseconds beside. */
function zonedSql(time: LineTime, line: string): string {
  const form = `yyyy-MM-dd${time.separator === "T" ? "'T'" : " "}HH:mm:ss${time.zone === "colon" ? "XXX" : "XX"}`;
  const zone = time.zone === "colon" ? "(?:Z|[+-]\\d{2}:\\d{2})" : "(?:Z|[+-]\\d{4})";
  const whole = extract(line, `^\\[?(${SECONDS}(?:[.,]\\d+)?${zone})`);
  const text = time.millis ? `REGEXP_REPLACE(${whole}, '[.,]\\d+', '')` : whole;
  const seconds = `UNIX_TIMESTAMP(${text}, ${quoteText(form)}) * 1000`;
  if (!time.millis) return `TO_TIMESTAMP_LTZ(${seconds}, 3)`;
  const millis = `CAST(${extract(line, `^\\[?${SECONDS}[.,](\\d{3})`)} AS BIGINT)`;
  return `TO_TIMESTAMP_LTZ(${seconds} + ${millis}, 3)`;
}

function extract(line: string, pattern: string): string {
  return `REGEXP_EXTRACT(${line}, ${quoteText(pattern)}, 1)`;
}

/** partSql is the expression of a part's column. */
export function partSql(part: Part, line: string): string {
  const text = extract(line, part.pattern);
  return part.type === "STRING" ? text : `TRY_CAST(${text} AS ${part.type})`;
}

/** Matches is what a pattern finds in lines; undefined where it is none or has no group. */
export interface Matches {
  count: number;
  example: string;
}

export function matchesOf(pattern: string, lines: readonly string[]): Matches | undefined {
  try {
    // With an empty choice it matches anything, and tells how many groups it has.
    if ((new RegExp(`${pattern}|`).exec("")?.length ?? 0) < 2) return undefined;
    const expression = new RegExp(pattern);
    const found = lines.flatMap((line) => expression.exec(line)?.[1] ?? []);
    return { count: found.length, example: found[0] ?? "" };
  } catch {
    return undefined;
  }
}

/** partsOf are the columns that lines can be taken apart into; `taken` are names that are in use. */
export function partsOf(lines: readonly string[], taken: Iterable<string> = []): Part[] {
  if (lines.length < FEWEST_LINES) return [];
  const names = new Set(taken);
  const parts: Part[] = [];
  const add = (wanted: string, pattern: string, type: PartType) => {
    if (parts.length >= MOST_PARTS) return;
    let name = wanted.replace(/\W+/g, "_").replace(/^_+|_+$/g, "");
    if (RESERVED.has(name.toUpperCase())) name += SUFFIXES[name.toLowerCase()] ?? SUFFIXES[type];
    if (names.has(name)) name = `line_${name}`;
    if (names.has(name)) return;
    names.add(name);
    parts.push({ name, pattern, type });
  };
  // What one step has explained is no longer looked at by the next.
  let rest = lines.map((line) => line.replace(TIME, " "));
  rest = levels(rest, lines, add);
  rest = pairs(rest, lines, add);
  rest = units(rest, lines, add);
  words(rest, lines, add);
  return parts;
}

// What makes names of words that SQL reserves, so that queries need no backquotes.
const SUFFIXES: Record<string, string> = { user: "_name", STRING: "_text", BIGINT: "_id", DOUBLE: "_value" };

type Add = (name: string, pattern: string, type: PartType) => void;

const LEVEL = /\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b/;

function levels(rest: string[], lines: readonly string[], add: Add): string[] {
  if (!enough(rest.filter((line) => LEVEL.test(line)).length, lines)) return rest;
  add("level", LEVEL.source, "STRING");
  return rest.map((line) => line.replace(LEVEL, " "));
}

const BEFORE = "(?:^|[\\s,;({\\[])";
const PAIR = /(^|[\s,;({[])([A-Za-z_][\w.-]*)=("[^"]*"|[^\s,;"')\]}]+)/g;
const NUMBER = "-?\\d+(?:\\.\\d+)?";
const UNIT = "ms|µs|us|ns|s|sec|secs|seconds|min|minutes|B|bytes|KB|KiB|MB|MiB|GB|GiB|%";
const MEASURED = new RegExp(`^(${NUMBER})(${UNIT})$`);

/** pairs takes key=value out of lines. */
function pairs(rest: string[], lines: readonly string[], add: Add): string[] {
  const values = new Map<string, string[]>();
  for (const line of rest) {
    const seen = new Set<string>();
    for (const [, , key = "", value = ""] of line.matchAll(PAIR)) {
      if (seen.has(key)) continue;
      seen.add(key);
      values.set(key, [...(values.get(key) ?? []), value]);
    }
  }
  for (const [key, found] of values) {
    if (!enough(found.length, lines)) continue;
    const start = `${BEFORE}${escaped(key)}=`;
    const all = (test: (value: string) => boolean) => found.every(test);
    const unit = MEASURED.exec(found[0] ?? "")?.[2];
    if (all((value) => value.startsWith('"'))) add(key, `${start}"([^"]*)"`, "STRING");
    else if (all((value) => /^-?\d{1,18}$/.test(value))) add(key, `${start}(-?\\d+)`, "BIGINT");
    else if (all((value) => /^-?\d{1,18}(\.\d+)?$/.test(value))) add(key, `${start}(${NUMBER})`, "DOUBLE");
    else if (unit && all((value) => MEASURED.exec(value)?.[2] === unit)) {
      add(named(key, unit), `${start}(${NUMBER})${unit}`, numberType(found));
    } else add(key, `${start}"?([^\\s,;")\\]}]+)`, "STRING");
  }
  return rest.map((line) => line.replace(PAIR, " "));
}

function escaped(text: string): string {
  return text.replace(/[.-]/g, "\\$&");
}

function numberType(values: readonly string[]): PartType {
  return values.every((value) => !value.includes(".")) ? "BIGINT" : "DOUBLE";
}

/** named is a name with its unit: took_ms. */
function named(name: string, unit: string): string {
  return `${name}_${unit === "%" ? "percent" : unit === "µs" ? "us" : unit.toLowerCase()}`;
}

const MEASURES = new RegExp(`(^|[^\\w.-])(\\d{1,18}(?:\\.\\d+)?) ?(${UNIT})(?!\\w)`, "g");

/** units takes numbers out of lines that have a unit behind, where a line has one of the kind. */
function units(rest: string[], lines: readonly string[], add: Add): string[] {
  const values = new Map<string, string[]>();
  for (const line of rest) {
    const found = [...line.matchAll(MEASURES)];
    for (const [, , value = "", unit = ""] of found) {
      if (found.filter((one) => one[3] === unit).length > 1) continue;
      values.set(unit, [...(values.get(unit) ?? []), value]);
    }
  }
  for (const [unit, found] of values) {
    if (!enough(found.length, lines) || constant(found)) continue;
    const name = unit === "%" ? "percent" : named(/^(?:[KMG]i?)?B$|^bytes$/.test(unit) ? "size" : "duration", unit);
    add(name, `(?:^|[^\\w.-])(\\d+(?:\\.\\d+)?) ?${unit}${unit === "%" ? "" : "\\b"}`, numberType(found));
  }
  return rest.map((line) => line.replace(MEASURES, " "));
}

/** constant: a number that is always the same tells nothing of a line. */
function constant(values: readonly string[]): boolean {
  return values.length >= 5 && new Set(values).size === 1;
}

const NAMED = /(^|[^\w.-])([A-Za-z][A-Za-z_]{1,30})(?:[ #]|: ?)#?(\d{1,18}(?:\.\d+)?)(?![\w:/%-]|\.\d)/g;
// Words that numbers follow without being their name.
const LINKS = new Set(
  "a about after an and are as at before by for from has in into is least most of on or over than the to under until was with within".split(
    " ",
  ),
);

/** words takes numbers out of lines that stand behind a word which nearly all lines have. */
function words(rest: string[], lines: readonly string[], add: Add): void {
  const values = new Map<string, string[]>();
  for (const line of rest) {
    const seen = new Set<string>();
    for (const [, , word = "", value = ""] of line.matchAll(NAMED)) {
      if (seen.has(word) || LINKS.has(word.toLowerCase())) continue;
      seen.add(word);
      values.set(word, [...(values.get(word) ?? []), value]);
    }
  }
  for (const [word, found] of values) {
    if (!enough(found.length, lines) || constant(found)) continue;
    const type = numberType(found);
    add(word.toLowerCase(), `\\b${word}(?:[ #]|: ?)#?(${type === "BIGINT" ? "\\d+" : "\\d+(?:\\.\\d+)?"})`, type);
  }
}

/** computed are the columns of parts, as CREATE TABLE takes them. */
export function computed(parts: readonly Part[], line: string): { name: string; type: string; sql: string }[] {
  const whole = parts.filter((part) => part.name.trim() !== "" && part.pattern !== "");
  return whole.map((part) => ({ name: part.name.trim(), type: part.type, sql: partSql(part, quoteName(line)) }));
}
