import type { Schema } from "@weirflow/sdk";
import { maybe, num } from "@/api/numbers";
import { parseDuration, shownDuration, wireDuration } from "./duration";

export type Policy = Schema<"Policy">;
export type Pairs = [name: string, value: string][];

export const KINDS = ["threshold", "ratio", "absence", "anomaly", "promql", "logPattern"] as const;
export type Kind = (typeof KINDS)[number];

export const FUNCTIONS = ["last", "avg", "min", "max", "sum", "count", "stddev", "rate", "increase"] as const;
export const COMPARISONS = {
  COMPARISON_ABOVE: ">",
  COMPARISON_AT_LEAST: "≥",
  COMPARISON_BELOW: "<",
  COMPARISON_AT_MOST: "≤",
} as const;
export type Comparison = keyof typeof COMPARISONS;
export const SEVERITIES = ["info", "warning", "critical"] as const;

/** PolicyDraft is a policy as it is typed: everything is text, of all kinds side by side. */
export interface PolicyDraft {
  name: string;
  kind: Kind;
  series: string;
  function: string;
  window: string;
  comparison: Comparison;
  value: string;
  by: string;
  part: string;
  whole: string;
  days: string;
  deviations: string;
  atLeast: string;
  expr: string;
  topic: string;
  field: string;
  how: "contains" | "regexp";
  pattern: string;
  count: string;
  within: string;
  resolveAfter: string;
  for: string;
  keep: string;
  severity: string;
  labels: Pairs;
  annotations: Pairs;
  disabled: boolean;
}

export function emptyDraft(): PolicyDraft {
  return {
    name: "",
    kind: "threshold",
    series: "",
    function: "last",
    window: "5m",
    comparison: "COMPARISON_ABOVE",
    value: "",
    by: "",
    part: "",
    whole: "",
    days: "",
    deviations: "",
    atLeast: "",
    expr: "",
    topic: "",
    field: "",
    how: "contains",
    pattern: "",
    count: "",
    within: "5m",
    resolveAfter: "",
    for: "",
    keep: "",
    severity: "warning",
    labels: [],
    annotations: [["summary", ""]],
    disabled: false,
  };
}

export function kindOf(p: Policy): Kind {
  return KINDS.find((kind) => p[kind]) ?? "promql";
}

/** placeOf puts what people read first before what they read next. */
function placeOf(annotation: string): number {
  const at = ["summary", "description", "runbook_url"].indexOf(annotation);
  return at < 0 ? 3 : at;
}

const set = (value: number | undefined) => (value === undefined || value === 0 ? "" : String(value));

/** draftOf is a policy as it is typed. */
export function draftOf(p: Policy): PolicyDraft {
  const common: PolicyDraft = {
    ...emptyDraft(),
    name: p.name ?? "",
    kind: kindOf(p),
    for: shownDuration(p.for),
    keep: shownDuration(p.keepFiringFor),
    severity: p.severity || "warning",
    labels: Object.entries(p.labels ?? {}),
    annotations: Object.entries(p.annotations ?? {}).sort(([a], [b]) => placeOf(a) - placeOf(b)),
    disabled: p.disabled ?? false,
  };
  const compared = (c: { comparison?: string; value?: number; by?: string[]; window?: string }) => ({
    comparison: c.comparison && c.comparison in COMPARISONS ? (c.comparison as Comparison) : "COMPARISON_ABOVE",
    value: String(c.value ?? 0),
    by: (c.by ?? []).join(", "),
    window: shownDuration(c.window),
  });
  if (p.threshold) {
    const t = p.threshold;
    return { ...common, ...compared(t), series: t.series ?? "", function: t.function || "last" } as PolicyDraft;
  }
  if (p.ratio) {
    return { ...common, ...compared(p.ratio), part: p.ratio.part ?? "", whole: p.ratio.whole ?? "" } as PolicyDraft;
  }
  if (p.absence) return { ...common, series: p.absence.series ?? "", window: shownDuration(p.absence.window) };
  if (p.anomaly) {
    const a = p.anomaly;
    return {
      ...common,
      series: a.series ?? "",
      function: a.function || "avg",
      window: shownDuration(a.window),
      days: set(a.days),
      deviations: set(a.deviations),
      atLeast: set(a.atLeast),
    };
  }
  if (p.logPattern) {
    const l = p.logPattern;
    return {
      ...common,
      topic: l.topic ?? "",
      field: l.field ?? "",
      how: l.regexp ? "regexp" : "contains",
      pattern: l.regexp || l.contains || "",
      by: (l.by ?? []).join(", "),
      count: set(maybe(l.count)),
      within: shownDuration(l.within),
      resolveAfter: shownDuration(l.resolveAfter),
    };
  }
  return { ...common, expr: p.promql?.expr ?? "" };
}

const list = (text: string) =>
  text
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter(Boolean);

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [k in K]?: V };

const typedNumber = (text: string) => (text.trim() === "" ? undefined : Number(text));

/** policyOf is what was typed for the API. What problemsOf finds fault with may be missing in it. */
export function policyOf(d: PolicyDraft): Policy {
  const pairs = (of: Pairs) => Object.fromEntries(of.filter(([name, value]) => name.trim() && value !== ""));
  const logs = d.kind === "logPattern";
  return {
    name: d.name,
    ...conditionOf(d),
    ...(logs ? {} : { ...optional("for", wireDuration(d.for)), ...optional("keepFiringFor", wireDuration(d.keep)) }),
    severity: d.severity,
    labels: pairs(d.labels),
    annotations: pairs(d.annotations),
    disabled: d.disabled,
  };
}

function conditionOf(d: PolicyDraft): Policy {
  const window = optional("window", wireDuration(d.window));
  const compared = { ...window, comparison: d.comparison, value: num(d.value), by: list(d.by) };
  switch (d.kind) {
    case "threshold":
      return { threshold: { series: d.series, function: d.function, ...compared } };
    case "ratio":
      return { ratio: { part: d.part, whole: d.whole, ...compared } };
    case "absence":
      return { absence: { series: d.series, ...window } };
    case "anomaly":
      return {
        anomaly: {
          series: d.series,
          function: d.function,
          ...window,
          ...optional("days", typedNumber(d.days)),
          ...optional("deviations", typedNumber(d.deviations)),
          ...optional("atLeast", typedNumber(d.atLeast)),
        },
      };
    case "logPattern":
      return {
        logPattern: {
          topic: d.topic,
          field: d.field,
          ...(d.how === "regexp" ? { regexp: d.pattern } : { contains: d.pattern }),
          by: list(d.by),
          ...optional("count", d.count.trim() || undefined),
          ...optional("within", wireDuration(d.within)),
          ...optional("resolveAfter", wireDuration(d.resolveAfter)),
        },
      };
    default:
      return { promql: { expr: d.expr } };
  }
}

export type Problem = "needed" | "name" | "number" | "whole" | "duration" | "label" | "range";
export type Problems = Partial<Record<keyof PolicyDraft, Problem>>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** problemsOf is what is wrong with what was typed, field by field; the server looks at the rest. */
export function problemsOf(d: PolicyDraft): Problems {
  const found: Problems = {};
  const needed = (...fields: (keyof PolicyDraft)[]) => {
    for (const field of fields) if (String(d[field]).trim() === "") found[field] = "needed";
  };
  const durations = (...fields: (keyof PolicyDraft)[]) => {
    for (const field of fields) {
      const typed = String(d[field]).trim();
      if (typed && parseDuration(typed) === undefined) found[field] = "duration";
    }
  };
  const numbers = (problem: "number" | "whole", ...fields: (keyof PolicyDraft)[]) => {
    for (const field of fields) {
      const n = typedNumber(String(d[field]));
      if (n !== undefined && (problem === "whole" ? !Number.isInteger(n) : Number.isNaN(n))) found[field] = problem;
    }
  };
  if (!NAME.test(d.name)) found.name = d.name ? "name" : "needed";
  switch (d.kind) {
    case "threshold":
      needed("series", "value");
      numbers("number", "value");
      durations("window");
      break;
    case "ratio":
      needed("part", "whole", "value");
      numbers("number", "value");
      durations("window");
      break;
    case "absence":
      needed("series");
      durations("window");
      break;
    case "anomaly":
      needed("series");
      numbers("whole", "days");
      numbers("number", "deviations", "atLeast");
      durations("window");
      if (d.days.trim() && !found.days && (Number(d.days) < 2 || Number(d.days) > 30)) found.days = "range";
      break;
    case "logPattern":
      needed("topic", "pattern");
      numbers("whole", "count");
      durations("within", "resolveAfter");
      break;
    default:
      needed("expr");
  }
  if (d.kind !== "logPattern") durations("for", "keep");
  if (d.labels.some(([name]) => name && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) found.labels = "label";
  if (d.labels.some(([name]) => ["alertname", "severity"].includes(name))) found.labels = "label";
  return found;
}
