import type { Schema } from "@weirflow/sdk";
import { date, num } from "@/api/numbers";
import { parseJson, writeJson } from "@/format/json";
import type { JsonPath } from "@/ui";

/** Message is a record of a topic as pages show it. */
export interface Message {
  id: string;
  partition: number;
  offset: number;
  at: Date | undefined;
  key: string;
  /** text is the value; undefined where there is none or it is binary. */
  text: string | undefined;
  /** binary is the value in base64, where it is not text. */
  binary: string | undefined;
  headers: { key: string; value: string }[];
  truncated: boolean;
  size: number;
}

export function messageOf(m: Schema<"Message">): Message {
  const size = num(m.size);
  return {
    id: `${m.partition ?? 0}-${m.offset ?? 0}`,
    partition: m.partition ?? 0,
    offset: num(m.offset),
    at: date(m.timestamp),
    key: decode(m.key ?? ""),
    text: m.text || undefined,
    binary: m.text ? undefined : m.binary || undefined,
    headers: (m.headers ?? []).map((h) => ({ key: h.key ?? "", value: decode(h.value ?? "") })),
    truncated: m.truncated ?? false,
    size,
  };
}

/** decode is the text of bytes in base64; bytes that are no text stay in base64. */
export function decode(base64: string): string {
  if (base64 === "") return "";
  try {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return base64;
  }
}

const parsed = new WeakMap<Message, { value: unknown }>();

/** jsonOf is a message's value as JSON, or undefined; it is parsed once. */
export function jsonOf(message: Message): unknown {
  let known = parsed.get(message);
  if (!known) {
    known = { value: message.text === undefined || message.truncated ? undefined : parseJson(message.text) };
    parsed.set(message, known);
  }
  return known.value;
}

/** at is what a path leads to in a value. */
export function at(value: unknown, path: JsonPath): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/** show is a value in a cell of a table. */
export function show(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : writeJson(value);
}

/** PathList keeps the columns that one has added, in the URL. */
export const PathList = {
  read: (text: string): JsonPath[] => {
    try {
      const all: unknown = text ? JSON.parse(text) : [];
      return Array.isArray(all) ? all.filter((path) => Array.isArray(path)) : [];
    } catch {
      return [];
    }
  },
  write: (paths: JsonPath[]): string => (paths.length === 0 ? "" : JSON.stringify(paths)),
};
