import { parseJson } from "@/format/json";
import { type Inferred, inferTable } from "./infer";
import { computed, type LineTime, lineTime, lineTimeSql, type Part, partsOf } from "./lines";
import { quoteName } from "./names";
import { indexJob, type Places } from "./sink";

// A job that begins with messages: what their lines have in common, and the script that makes documents of them.

/** Lines are the texts of messages that are lines of logs, and what they have in common. */
export interface Lines {
  texts: string[];
  time: LineTime | undefined;
  parts: Part[];
}

const LINE = "message";

/** linesOf looks at the lines in messages: the field `message`, or the whole of what is no JSON. */
export function linesOf(messages: readonly string[]): Lines | undefined {
  const raw: string[] = [];
  const texts: string[] = [];
  const taken = new Set(["record_time"]);
  for (const message of messages) {
    const value = parseJson(message);
    if (typeof value !== "object" || value === null || Array.isArray(value)) raw.push(message);
    else {
      for (const name of Object.keys(value)) taken.add(name);
      const line = (value as Record<string, unknown>)[LINE];
      // A message that is JSON itself has its own names: it is no line to take apart.
      if (typeof line === "string") texts.push(line);
    }
  }
  const lines = raw.length === messages.length ? raw : texts;
  if (lines.length === 0) return undefined;
  taken.add(LINE).add(timeName(taken));
  return { texts: lines, time: lineTime(lines), parts: partsOf(lines, taken) };
}

/** timeName is the column of the time that a line says; a topic may have one of its own by the usual name. */
function timeName(taken: ReadonlySet<string>): string {
  return taken.has("line_time") ? "time_in_line" : "line_time";
}

export interface Choice {
  /** time: the time that lines say is that of the rows. */
  time: LineTime | undefined;
  parts: readonly Part[];
}

export interface Starter {
  inferred: Inferred;
  /** rest is what follows the table: the target and the INSERT. */
  rest: string;
}

/** starter is the whole script of a job that makes documents of a topic's messages. */
export function starter(messages: readonly string[], topic: string, choice: Choice, places: Places): Starter {
  const { time } = choice;
  const plain = inferTable(messages, { topic });
  const hasLine = plain.fields.some((field) => field.name === LINE && field.type === "STRING");
  const name = timeName(new Set(plain.fields.map((field) => field.name)));
  const line = quoteName(LINE);
  const inferred = inferTable(messages, {
    topic,
    brokers: places.brokers,
    startup: "earliest-offset",
    computed: hasLine ? computed(choice.parts, LINE) : [],
    ...(hasLine && time
      ? { time: (read) => ({ name, type: "TIMESTAMP_LTZ(3)", sql: lineTimeSql(time, line, read) }) }
      : {}),
  });
  return { inferred, rest: indexJob(inferred, topic, places) };
}
