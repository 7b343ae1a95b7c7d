import type { Field } from "@/search/fields";
import type { Dashboard, Panel, Query, Variable } from "./model";

export type Values = Record<string, string>;

const NAMES = /\$\{(\w+)(?::\w+)?\}|\$(\w+)/g;

/** filled puts the values of variables into a text; what is none of them stays. */
export function filled(text: string, values: Values): string {
  return text.replace(NAMES, (all, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? "";
    return Object.hasOwn(values, name) ? (values[name] ?? all) : all;
  });
}

/** ANY is the value that stands for all of a label's. */
export const ANY = ".*";

/** named are the values as titles have them: in words where one stands for all. */
export function named(values: Values, all: string): Values {
  return mapped(values, (value) => (value === ANY ? all : value));
}

/**
 * filledExpr puts values into PromQL. Where they stand in a regular expression, a value
 * means itself, but for the one that means all.
 */
export function filledExpr(expr: string, values: Values): string {
  const literal = (value: string) => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
  const inRegex = expr.replace(/([=!]~\s*)"((?:[^"\\]|\\.)*)"/g, (_, operator: string, pattern: string) => {
    const quoted = mapped(values, (value) =>
      value === ANY || value === "" ? value : literal(value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")),
    );
    return `${operator}"${filled(pattern, quoted)}"`;
  });
  return filled(inRegex, mapped(values, literal));
}

function mapped(values: Values, change: (value: string) => string): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

/** Role is what a variable of the source “fields” stands for, by where it is used. */
export type Role = "time" | "number" | "group" | "any";

/** roleOf finds out what a field's variable is for. */
export function roleOf(name: string, panels: readonly Panel[]): Role {
  const names = [`$${name}`, `\${${name}}`];
  const uses = (text: string) => names.includes(text);
  for (const query of panels.flatMap((panel) => panel.queries)) {
    if (query.source !== "search") continue;
    if (uses(query.timeField)) return "time";
    if (uses(query.groupBy)) return "group";
    if (uses(query.field)) return query.metric === "cardinality" ? "group" : "number";
  }
  return "any";
}

/** fieldNames are the fields that suit a role. */
export function fieldNames(fields: readonly Field[], role: Role): string[] {
  const named = fields.flatMap((field) => (field.whole ? [{ name: field.whole, kind: field.kind }] : []));
  const suits = {
    time: (kind: string) => kind === "date",
    number: (kind: string) => kind === "number",
    group: (kind: string) => kind !== "date",
    any: () => true,
  }[role];
  const texts = (kind: string) => (kind === "text" || kind === "keyword" ? 0 : 1);
  const found = named.filter((one) => suits(one.kind));
  // What one splits by is a text more often than a number.
  if (role === "group") found.sort((a, b) => texts(a.kind) - texts(b.kind));
  return found.map((one) => one.name);
}

/** indexOf is the index that the fields of a dashboard are of. */
export function indexOf(dashboard: Pick<Dashboard, "variables" | "panels">, values: Values): string {
  const variable = dashboard.variables.find((one) => one.source === "indices");
  if (variable) return values[variable.name] ?? "";
  const query = dashboard.panels.flatMap((panel) => panel.queries).find((one: Query) => one.source === "search");
  return query?.source === "search" ? filled(query.index, values) : "";
}

/**
 * valuesOf are the values of all variables: chosen ones, or those they begin with. A
 * field that the index does not have gives way to one that suits, so that a dashboard
 * shows something for any index.
 */
export function valuesOf(
  dashboard: Pick<Dashboard, "variables" | "panels">,
  chosen: (name: string) => string | null,
  fields: readonly Field[],
): Values {
  const values: Values = {};
  for (const variable of dashboard.variables) {
    const own = chosen(variable.name);
    values[variable.name] = own ?? startOf(variable, dashboard.panels, fields);
  }
  return values;
}

function startOf(variable: Variable, panels: readonly Panel[], fields: readonly Field[]): string {
  if (variable.source !== "fields" || fields.length === 0) return variable.value;
  if (fields.some((field) => field.name === variable.value || field.whole === variable.value)) return variable.value;
  const names = fieldNames(fields, roleOf(variable.name, panels));
  return names.find((name) => name === "@timestamp") ?? names[0] ?? variable.value;
}
