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
/** BELOW is the room under the lowest box: a line may pass there. */
const BELOW = 16;

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
  const height = TOP + tallest * (NODE_HEIGHT + GAP_Y) - GAP_Y + BELOW;
  const boxes = new Map<string, Box>();
  members.forEach((column, i) => {
    const ordered = i === 0 ? column : byParents(column, edges, boxes);
    const used = ordered.length * (NODE_HEIGHT + GAP_Y) - GAP_Y;
    const start = TOP + (height - TOP - BELOW - used) / 2;
    ordered.forEach((node, j) => {
      const id = node.id ?? "";
      boxes.set(id, { id, x: columns[i]?.x ?? 0, y: start + j * (NODE_HEIGHT + GAP_Y) });
    });
  });
  const way: Way = { xs: columns.map((column) => column.x), nodeWidth };
  return { nodeWidth, height, columns, boxes, lines: lines(edges, boxes, way) };
}

/** Way is where the columns are. */
interface Way {
  xs: number[];
  nodeWidth: number;
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

function lines(edges: readonly EdgeLike[], boxes: Map<string, Box>, way: Way): Line[] {
  const all: Line[] = [];
  for (const edge of edges) {
    const a = boxes.get(edge.from ?? "");
    const b = boxes.get(edge.to ?? "");
    if (!a || !b) continue;
    const back = b.x <= a.x;
    const x1 = back ? a.x : a.x + way.nodeWidth;
    const x2 = back ? b.x + way.nodeWidth : b.x;
    const y1 = a.y + NODE_HEIGHT / 2;
    const y2 = b.y + NODE_HEIGHT / 2;
    const stops = back ? [] : between(a, b, boxes, way);
    const first = stops[0];
    all.push({
      key: `${a.id}→${b.id}`,
      from: a.id,
      to: b.id,
      path: curve([{ x: x1, y: y1 }, ...stops, { x: x2, y: y2 }]),
      labelX: (x1 + (first?.x ?? x2)) / 2,
      labelY: (y1 + (first?.y ?? y2)) / 2,
    });
  }
  return apart(all);
}

interface Point {
  x: number;
  y: number;
}

/** between are where a line passes the columns that it leaps over: before and behind each, where no box is. */
function between(a: Box, b: Box, boxes: Map<string, Box>, { xs, nodeWidth }: Way): Point[] {
  const stops: Point[] = [];
  let y = a.y + NODE_HEIGHT / 2;
  const end = b.y + NODE_HEIGHT / 2;
  for (const x of xs.filter((one) => one > a.x && one < b.x)) {
    const column = [...boxes.values()].filter((box) => box.x === x);
    if (column.length === 0) continue;
    // Half way to where it goes, or the free place next to that.
    y = lane(
      column.map((box) => box.y),
      (y + end) / 2,
    );
    stops.push({ x, y }, { x: x + nodeWidth, y });
  }
  return stops;
}

/** lane is the free place of a column nearest to a height: between two boxes, above all, or below. */
export function lane(tops: readonly number[], wanted: number): number {
  const half = GAP_Y / 2;
  const blocked = (y: number) => tops.some((top) => y > top - half && y < top + NODE_HEIGHT + half);
  if (!blocked(wanted)) return wanted;
  const free = tops
    .flatMap((top) => [top - half, top + NODE_HEIGHT + half])
    .filter((y) => !blocked(y) && y > TOP - half);
  return free.reduce((best, y) => (Math.abs(y - wanted) < Math.abs(best - wanted) ? y : best), free[0] ?? wanted);
}

/** curve goes through points: bent where the height changes, straight where it does not. */
function curve(points: readonly Point[]): string {
  return points
    .map(({ x, y }, i) => {
      const from = points[i - 1];
      if (!from) return `M${x},${y}`;
      if (from.y === y && i > 1) return `L${x},${y}`;
      const bend = (x - from.x) / 2;
      return `C${from.x + bend},${from.y} ${x - bend},${y} ${x},${y}`;
    })
    .join("");
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
