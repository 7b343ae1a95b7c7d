import type { Schema } from "@weirflow/sdk";

export type Kind = Schema<"NodeKind">;

/** KINDS are the columns of the map, from left to right. */
export const KINDS: Kind[] = [
  "NODE_KIND_AGENT",
  "NODE_KIND_TOPIC",
  "NODE_KIND_JOB",
  "NODE_KIND_INDEX",
  "NODE_KIND_ALERTS",
];

export const NODE_HEIGHT = 64;
const GAP_Y = 24;
const TOP = 32;
const LABEL_HEIGHT = 34;

export interface Box {
  id: string;
  x: number;
  y: number;
}

export interface Line {
  key: string;
  from: string;
  to: string;
  /** path is the curve, in SVG's words. */
  path: string;
  /** labelX and labelY are the middle of its label. */
  labelX: number;
  labelY: number;
}

export interface Layout {
  nodeWidth: number;
  height: number;
  columns: { kind: Kind; x: number }[];
  boxes: Map<string, Box>;
  lines: Line[];
}

interface NodeLike {
  id?: string;
  kind?: Kind;
}

interface EdgeLike {
  from?: string;
  to?: string;
}

/** layout places nodes in a column for each kind, and keeps lines short by ordering each column by what leads to it. */
export function layout(nodes: readonly NodeLike[], edges: readonly EdgeLike[], width: number): Layout {
  const nodeWidth = Math.max(112, Math.min(208, (width - 4 * 80) / KINDS.length));
  const gap = (width - nodeWidth * KINDS.length) / (KINDS.length - 1);
  const columns = KINDS.map((kind, i) => ({ kind, x: i * (nodeWidth + gap) }));
  const members = KINDS.map((kind) => nodes.filter((node) => node.kind === kind));
  const tallest = Math.max(1, ...members.map((m) => m.length));
  const height = TOP + tallest * (NODE_HEIGHT + GAP_Y) - GAP_Y + 8;
  const boxes = new Map<string, Box>();
  members.forEach((column, i) => {
    const ordered = i === 0 ? column : byParents(column, edges, boxes);
    const used = ordered.length * (NODE_HEIGHT + GAP_Y) - GAP_Y;
    const start = TOP + (height - TOP - 8 - used) / 2;
    ordered.forEach((node, j) => {
      const id = node.id ?? "";
      boxes.set(id, { id, x: columns[i]?.x ?? 0, y: start + j * (NODE_HEIGHT + GAP_Y) });
    });
  });
  return { nodeWidth, height, columns, boxes, lines: lines(edges, boxes, nodeWidth) };
}

/** byParents orders a column by the middle of what leads to each node; equal ones stay as they were. */
function byParents<T extends NodeLike>(column: T[], edges: readonly EdgeLike[], boxes: Map<string, Box>): T[] {
  const weight = (node: T) => {
    const ys = edges.filter((e) => e.to === node.id).flatMap((e) => boxes.get(e.from ?? "")?.y ?? []);
    return ys.length === 0 ? Number.POSITIVE_INFINITY : ys.reduce((a, b) => a + b, 0) / ys.length;
  };
  return column
    .map((node, i) => ({ node, i, weight: weight(node) }))
    .sort((a, b) => (a.weight === b.weight ? a.i - b.i : a.weight - b.weight))
    .map((one) => one.node);
}

function lines(edges: readonly EdgeLike[], boxes: Map<string, Box>, nodeWidth: number): Line[] {
  const all: Line[] = [];
  for (const edge of edges) {
    const a = boxes.get(edge.from ?? "");
    const b = boxes.get(edge.to ?? "");
    if (!a || !b) continue;
    const back = b.x <= a.x;
    const x1 = back ? a.x : a.x + nodeWidth;
    const x2 = back ? b.x + nodeWidth : b.x;
    const y1 = a.y + NODE_HEIGHT / 2;
    const y2 = b.y + NODE_HEIGHT / 2;
    const bend = (x2 - x1) / 2;
    all.push({
      key: `${a.id}→${b.id}`,
      from: a.id,
      to: b.id,
      path: `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
      labelX: (x1 + x2) / 2,
      labelY: (y1 + y2) / 2,
    });
  }
  return apart(all);
}

/** apart moves labels of the same gap down until none lies on another. */
function apart(all: Line[]): Line[] {
  const gaps = new Map<number, Line[]>();
  for (const line of all) {
    const x = Math.round(line.labelX);
    gaps.set(x, [...(gaps.get(x) ?? []), line]);
  }
  for (const gap of gaps.values()) {
    gap.sort((a, b) => a.labelY - b.labelY);
    gap.forEach((line, i) => {
      const above = gap[i - 1];
      if (above && line.labelY - above.labelY < LABEL_HEIGHT) line.labelY = above.labelY + LABEL_HEIGHT;
    });
  }
  return all;
}
