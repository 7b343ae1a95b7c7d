import type { Schema } from "@weirflow/sdk";
import { date } from "@/api/numbers";
import { href, part } from "@/app/url";

export type Alert = Schema<"ActiveAlert">;
export type Delivery = Schema<"Delivery">;
export type LogPattern = Pick<NonNullable<Schema<"Policy">["logPattern"]>, "contains" | "regexp">;

export const STATES = ["ALERT_STATE_ACTIVE", "ALERT_STATE_ACKNOWLEDGED", "ALERT_STATE_SUPPRESSED"] as const;

const RANK: Record<string, number> = { critical: 0, error: 1, warning: 2, info: 4 };

/** rankOf orders severities: the worst first, words of one's own between warning and info. */
export function rankOf(severity: string): number {
  return RANK[severity] ?? 3;
}

/** toneOf is the colour of a severity. */
export function toneOf(severity: string): "bad" | "late" | undefined {
  const rank = rankOf(severity);
  return rank <= 1 ? "bad" : rank === 2 ? "late" : undefined;
}

export function nameOf(a: Alert): string {
  return a.labels?.alertname ?? "";
}

export function summaryOf(a: Alert): string {
  return a.annotations?.summary || a.annotations?.description || nameOf(a);
}

/** worst puts the worst severity first, and of equal ones those that began last. */
export function worst(a: Alert, b: Alert): number {
  const rank = rankOf(a.labels?.severity ?? "") - rankOf(b.labels?.severity ?? "");
  return rank || (date(b.startsAt)?.getTime() ?? 0) - (date(a.startsAt)?.getTime() ?? 0);
}

/** filterAlerts keeps those of a state in whose labels and annotations all words occur. */
export function filterAlerts(alerts: readonly Alert[], text: string, state: string): Alert[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return alerts.filter((a) => {
    if (state && a.state !== state) return false;
    if (words.length === 0) return true;
    const all = [
      ...Object.entries(a.labels ?? {}).map(([k, v]) => `${k}=${v}`),
      ...Object.values(a.annotations ?? {}),
      a.handling?.assignee ?? "",
      a.handling?.acknowledgedBy ?? "",
    ]
      .join("\n")
      .toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** groupAlerts puts alerts of one alertname together, the group with the worst first. */
export function groupAlerts(alerts: readonly Alert[]): { name: string; alerts: Alert[] }[] {
  const groups = new Map<string, Alert[]>();
  for (const a of alerts.toSorted(worst)) groups.set(nameOf(a), [...(groups.get(nameOf(a)) ?? []), a]);
  return [...groups].map(([name, of]) => ({ name, alerts: of }));
}

/** otherLabels are the labels that tell alerts of one name apart. */
export function otherLabels(labels: Record<string, string> | undefined): [string, string][] {
  return Object.entries(labels ?? {}).filter(([name]) => name !== "alertname" && name !== "severity");
}

export interface Event {
  at: Date;
  kind: "began" | "told" | "failed" | "over" | "acknowledged" | "comment";
  who: string;
  text: string;
}

/** timelineOf is what happened to an alert, the first first. */
export function timelineOf(a: Alert, deliveries: readonly Delivery[]): Event[] {
  const began = date(a.startsAt);
  const events: Event[] = began ? [{ at: began, kind: "began", who: "", text: "" }] : [];
  for (const d of deliveries) {
    const at = date(d.at);
    const mine = d.alerts?.find((one) => one.fingerprint === a.fingerprint);
    if (!at || !mine || d.test || (began && at < began)) continue;
    const kind = d.error ? "failed" : mine.resolved ? "over" : "told";
    events.push({ at, kind, who: [d.receiver, d.channel].filter(Boolean).join(" · "), text: d.error ?? "" });
  }
  const h = a.handling;
  const acknowledged = date(h?.acknowledgedAt);
  if (acknowledged && h?.acknowledgedBy) {
    events.push({ at: acknowledged, kind: "acknowledged", who: h.acknowledgedBy, text: "" });
  }
  for (const c of h?.comments ?? []) {
    const at = date(c.at);
    if (at) events.push({ at, kind: "comment", who: c.by ?? "", text: c.text ?? "" });
  }
  return events.sort((x, y) => x.at.getTime() - y.at.getTime());
}

const HOST_LABELS = ["host", "host_name", "hostname"];
const AROUND_MS = 10 * 60_000;

/** NOBODY is the receiver of an installation where nobody is told. */
const NOBODY = "nobody";

/** told are the receivers to which an alert goes. */
export function told(a: Alert): string[] {
  return (a.receivers ?? []).filter((name) => name !== NOBODY);
}

/** patternQuery is what a policy looks for in lines, as a query of Search. */
export function patternQuery(pattern: LogPattern): string {
  if (pattern.contains) return JSON.stringify(pattern.contains);
  const regexp = pattern.regexp ?? "";
  // Words beside one another are found in any text; another expression only in whole values.
  const words = regexp.replace(/^\((?:\?:)?([^()]*)\)$/, "$1").split("|");
  if (words.every((word) => /^[\p{L}\p{N} _-]+$/u.test(word)))
    return words.map((word) => JSON.stringify(word)).join(" OR ");
  return regexp === "" ? "" : `/${regexp.replace(/\\?\//g, "\\/")}/`;
}

/** indicesOf are the indices to which jobs carry a topic's messages. */
export function indicesOf(edges: readonly { from?: string; to?: string }[], topic: string): string[] {
  const jobs = edges.filter((edge) => edge.from === `topic/${topic}`).map((edge) => edge.to);
  const into = edges.filter((edge) => jobs.includes(edge.from) && edge.to?.startsWith("index/"));
  return [...new Set(into.map((edge) => (edge.to ?? "").slice("index/".length)))];
}

/**
 * logsLink leads to the log lines around the beginning of an alert: to those of the
 * pattern that its policy looks for, or of its host if it names one.
 */
export function logsLink(a: Alert, pattern?: LogPattern, index?: string): string {
  const began = date(a.startsAt) ?? new Date();
  const host = HOST_LABELS.map((name) => a.labels?.[name]).find(Boolean);
  const ofHost = host ? `host.name:${JSON.stringify(host)}` : undefined;
  return href("/search", {
    index,
    q: (pattern && patternQuery(pattern)) || ofHost,
    from: new Date(began.getTime() - AROUND_MS).toISOString(),
    to: new Date(began.getTime() + AROUND_MS).toISOString(),
  });
}

/** queryOf is the query that an alert comes of, from the link that it brings. */
export function queryOf(a: Alert): string | undefined {
  try {
    const link = new URL(a.generatorUrl ?? "");
    return link.searchParams.get("query") ?? link.searchParams.get("g0.expr") ?? undefined;
  } catch {
    return undefined;
  }
}

/** jobOf is the job that raised an alert, from the link that it brings. */
export function jobOf(a: Alert): string | undefined {
  const match = /\/jobs\/([^/?#]+)$/.exec(a.generatorUrl ?? "");
  return match?.[1] ? decodeURIComponent(match[1]) : undefined;
}

/** webLink keeps a link that leads to a web page; others, such as javascript:, are not followed. */
export function webLink(text: string | undefined): string | undefined {
  return text && /^https?:\/\/[^\s]+$/i.test(text) ? text : undefined;
}

export const alertPath = (fingerprint: string) => `/alerts/${part(fingerprint)}`;
