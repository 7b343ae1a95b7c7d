import type { Schema } from "@weirflow/sdk";
import { href } from "@/app/url";
import { parseJson } from "@/format/json";
import { flat } from "@/pages/search/document";
import { emptyDraft, type PolicyDraft } from "./policy";

// A policy over lines is begun where one sees them: in a search, or in a topic.

type Job = Schema<"Job">;

/** Lines are those that a policy is about. What is not known is empty. */
export interface Lines {
  topic: string;
  field: string;
  contains: string;
}

const PARAMS = ["topic", "field", "contains"] as const;

/** newPolicyHref leads to the form of a policy over lines. */
export function newPolicyHref(lines: Partial<Lines>): string {
  return href("/alerts/policies/new", { lines: "1", ...lines });
}

/** linesOfUrl are the lines that the form was opened for; none for a policy of another kind. */
export function linesOfUrl(params: URLSearchParams): Lines | undefined {
  if (!params.has("lines")) return undefined;
  const [topic, field, contains] = PARAMS.map((name) => params.get(name) ?? "");
  return { topic: topic ?? "", field: field ?? "", contains: contains ?? "" };
}

export function draftOfLines({ topic, field, contains }: Lines): PolicyDraft {
  return { ...emptyDraft(), kind: "logPattern", topic, field, pattern: contains };
}

const PHRASE = /^(?:([\w.@-]+):)?"((?:[^"\\]|\\.)*)"$/;
const WORD = /^(?:([\w.@-]+):)?([^\s"():[\]{}^~*?\\/<>=!+&|-][^\s"():[\]{}^~*?\\<>=&|]*)$/;

/**
 * linesOfQuery is what a query asks of one field: a word or a phrase, with or without
 * the field's name. A query that says more is not one text; then the text is empty.
 */
export function linesOfQuery(query: string): Pick<Lines, "field" | "contains"> {
  const typed = query.trim();
  const found = PHRASE.exec(typed) ?? WORD.exec(typed);
  if (!found || ["AND", "OR", "NOT"].includes(typed)) return { field: "", contains: "" };
  return { field: found[1] ?? "", contains: (found[2] ?? "").replace(/\\(.)/g, "$1") };
}

/** topicOfIndex is the topic that the documents of an index come from, if one job writes them. */
export function topicOfIndex(index: string, jobs: readonly Job[]): string {
  const topics = jobs
    .filter((job) =>
      (job.status?.outputs ?? []).some((o) => o.connector?.startsWith("elasticsearch") && names(o.target ?? "", index)),
    )
    .flatMap((job) => (job.status?.sources ?? []).flatMap((source) => source.topic || []));
  const [first = "", ...others] = new Set(topics);
  return others.length === 0 ? first : "";
}

/** names says whether an index may be the target of a sink: logs-{ts|yyyy} is all that begin with logs-. */
function names(target: string, index: string): boolean {
  const columns = target.indexOf("{");
  return columns < 0 ? target === index : columns > 0 && index.startsWith(target.slice(0, columns));
}

/** fieldsOf are the paths of the fields that messages have, those of the most messages first. */
export function fieldsOf(messages: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const text of messages) {
    const value = parseJson(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    for (const [path] of flat(value as Record<string, unknown>)) times.set(path, (times.get(path) ?? 0) + 1);
  }
  return [...times].sort(([a, n], [b, m]) => m - n || a.localeCompare(b)).map(([path]) => path);
}
