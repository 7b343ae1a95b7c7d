import type { Schema } from "@weirflow/sdk";
import { num } from "@/api/numbers";

/** KINDS are how a panel can draw, by their names in the API. */
export const KINDS = {
  line: "PANEL_TYPE_LINE",
  area: "PANEL_TYPE_AREA",
  bar: "PANEL_TYPE_BAR",
  stat: "PANEL_TYPE_STAT",
  table: "PANEL_TYPE_TABLE",
  pie: "PANEL_TYPE_PIE",
  text: "PANEL_TYPE_TEXT",
  logs: "PANEL_TYPE_LOGS",
} as const;

export type Kind = keyof typeof KINDS;

export interface PromQL {
  source: "promql";
  expr: string;
  instant: boolean;
  legend: string;
}

export interface Search {
  source: "search";
  index: string;
  query: string;
  timeField: string;
  metric: string;
  field: string;
  groupBy: string;
  size: number;
  overTime: boolean;
  /** interval is how long one bar or point is, such as "5m"; empty: by the time shown. */
  interval: string;
  legend: string;
}

export type Query = PromQL | Search;

/** Panel is one chart on the grid. */
export interface Panel {
  id: string;
  title: string;
  kind: Kind;
  x: number;
  y: number;
  width: number;
  height: number;
  unit: string;
  queries: Query[];
  text: string;
  stacked: boolean;
}

export interface Variable {
  name: string;
  label: string;
  value: string;
  source: string;
}

export interface Dashboard {
  name: string;
  title: string;
  description: string;
  range: string;
  shipped: boolean;
  version: number;
  updatedBy: string;
  panels: Panel[];
  variables: Variable[];
}

/** dashboardOf reads a dashboard of the API, in which every field may be missing. */
export function dashboardOf(d: Schema<"Dashboard">): Dashboard {
  return {
    name: d.name ?? "",
    title: d.title ?? "",
    description: d.description ?? "",
    range: d.range ?? "",
    shipped: d.shipped ?? false,
    version: num(d.version),
    updatedBy: d.updatedBy ?? "",
    panels: (d.panels ?? []).map(panelOf),
    variables: (d.variables ?? []).map((v) => ({
      name: v.name ?? "",
      label: v.label ?? "",
      value: v.value ?? "",
      source: v.source ?? "",
    })),
  };
}

function panelOf(p: Schema<"Panel">): Panel {
  const kind = (Object.keys(KINDS) as Kind[]).find((name) => KINDS[name] === p.type) ?? "line";
  return {
    id: p.id ?? "",
    title: p.title ?? "",
    kind,
    x: p.x ?? 0,
    y: p.y ?? 0,
    width: p.width || 12,
    height: p.height || 8,
    unit: p.unit ?? "",
    queries: (p.queries ?? []).map(queryOf),
    text: p.text ?? "",
    stacked: p.stacked ?? false,
  };
}

function queryOf(q: Schema<"PanelQuery">): Query {
  const legend = q.legend ?? "";
  const s = q.search;
  if (!s) return { source: "promql", expr: q.promql?.expr ?? "", instant: q.promql?.instant ?? false, legend };
  return {
    source: "search",
    index: s.index ?? "",
    query: s.query ?? "",
    timeField: s.timeField ?? "",
    metric: s.metric || "count",
    field: s.field ?? "",
    groupBy: s.groupBy ?? "",
    size: s.size ?? 0,
    overTime: s.overTime ?? false,
    interval: s.interval ?? "",
    legend,
  };
}

/** schemaOf writes a dashboard as the API takes it. */
export function schemaOf(d: Dashboard): Schema<"Dashboard"> {
  return {
    name: d.name,
    title: d.title,
    description: d.description,
    range: d.range,
    version: String(d.version),
    variables: d.variables,
    panels: d.panels.map((p) => ({
      id: p.id,
      title: p.title,
      type: KINDS[p.kind],
      x: p.x,
      y: p.y,
      width: p.width,
      height: p.height,
      unit: p.unit,
      text: p.kind === "text" ? p.text : "",
      stacked: p.stacked,
      queries: p.kind === "text" ? [] : p.queries.map(querySchema),
    })),
  };
}

function querySchema(q: Query): Schema<"PanelQuery"> {
  if (q.source === "promql") return { promql: { expr: q.expr, instant: q.instant }, legend: q.legend };
  const { source: _, legend, ...search } = q;
  return { search, legend };
}

/** newQuery is where a query begins. */
export function newQuery(source: Query["source"], index = ""): Query {
  if (source === "promql") return { source, expr: "", instant: false, legend: "" };
  return {
    source,
    index,
    query: "",
    timeField: "",
    metric: "count",
    field: "",
    groupBy: "",
    size: 10,
    overTime: true,
    interval: "",
    legend: "",
  };
}

/** newPanel is a panel that lies on no place yet. */
export function newPanel(id: string, kind: Kind, queries: Query[]): Panel {
  const height = kind === "stat" ? 4 : 8;
  return {
    id,
    title: "",
    kind,
    x: 0,
    y: 0,
    width: kind === "stat" ? 4 : 12,
    height,
    unit: "short",
    queries: kind === "text" ? [] : queries,
    text: kind === "text" ? "## " : "",
    stacked: false,
  };
}

/** freeId is an id that no panel has. */
export function freeId(panels: readonly Panel[]): string {
  let n = panels.length + 1;
  while (panels.some((panel) => panel.id === `p${n}`)) n++;
  return `p${n}`;
}

/** nameOf makes a name of a title: small letters, digits and -. A title in other letters has the time in it. */
export function nameOf(title: string, now: Date): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 48)
    .replace(/-+$/, "");
  return name || `dashboard-${now.getTime().toString(36)}`;
}

/** lackOf says what a panel lacks before it can be drawn and kept: a name of a text, or nothing. */
export function lackOf(panel: Panel): "expr" | "index" | "field" | "queries" | undefined {
  if (panel.kind === "text") return undefined;
  if (panel.queries.length === 0) return "queries";
  for (const query of panel.queries) {
    if (query.source === "promql") {
      if (query.expr.trim() === "") return "expr";
    } else if (query.index.trim() === "") return "index";
    else if (query.metric !== "count" && query.field === "" && panel.kind !== "logs") return "field";
  }
  return undefined;
}
