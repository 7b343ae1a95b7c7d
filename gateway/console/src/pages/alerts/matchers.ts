import type { Schema } from "@weirflow/sdk";

export type Matcher = Schema<"Matcher">;
type Labels = Record<string, string>;

/** operatorOf is how a matcher compares. */
export function operatorOf(m: Matcher): "=" | "!=" | "=~" | "!~" {
  if (m.regexp) return m.negated ? "!~" : "=~";
  return m.negated ? "!=" : "=";
}

/** matcherText writes a matcher as the Alertmanager does: severity=~"warning|critical". */
export function matcherText(m: Matcher): string {
  return `${m.name ?? ""}${operatorOf(m)}${JSON.stringify(m.value ?? "")}`;
}

/** patternOf is a matcher's regular expression, which is for the whole value; undefined for a broken one. */
export function patternOf(m: Matcher): RegExp | undefined {
  try {
    return new RegExp(`^(?:${m.value ?? ""})$`, "s");
  } catch {
    return undefined;
  }
}

/** matches says whether labels have what all matchers want; a label that is not there is empty. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((m) => {
    const value = labels[m.name ?? ""] ?? "";
    const same = m.regexp ? (patternOf(m)?.test(value) ?? false) : value === (m.value ?? "");
    return m.negated ? !same : same;
  });
}

export type MatcherProblem = "none" | "name" | "regexp" | "all";

/** problemOf is what is wrong with matchers: one at least must want a value. */
export function problemOf(matchers: readonly Matcher[]): MatcherProblem | undefined {
  if (matchers.length === 0) return "none";
  if (matchers.some((m) => !m.name)) return "name";
  if (matchers.some((m) => m.regexp && !patternOf(m))) return "regexp";
  if (matchers.every((m) => matches([m], {}))) return "all";
  return undefined;
}

/** matchersOf are those that match exactly what labels are. */
export function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels)
    .sort(([a], [b]) => (a === "alertname" ? -1 : b === "alertname" ? 1 : a.localeCompare(b)))
    .map(([name, value]) => ({ name, value, regexp: false, negated: false }));
}
