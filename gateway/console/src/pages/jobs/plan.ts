/** PlanNode is an operator of the plan, as EXPLAIN JSON_EXECUTION_PLAN prints it. */
export interface PlanNode {
  id: string;
  type: string;
  contents: string;
  predecessors: { id: string; strategy: string }[];
}

interface RawNode {
  id?: string | number;
  type?: string;
  contents?: string;
  predecessors?: { id?: string | number; ship_strategy?: string }[];
}

/** readPlan reads a plan; what is none has no nodes. */
export function readPlan(json: string | undefined): PlanNode[] {
  if (!json) return [];
  try {
    const { nodes } = JSON.parse(json) as { nodes?: RawNode[] };
    return (nodes ?? []).map((node) => ({
      id: String(node.id ?? ""),
      type: node.type ?? "",
      contents: node.contents ?? "",
      predecessors: (node.predecessors ?? []).map((p) => ({ id: String(p.id ?? ""), strategy: p.ship_strategy ?? "" })),
    }));
  } catch {
    return [];
  }
}

export const BOX_WIDTH = 208;
export const BOX_HEIGHT = 76;
const GAP_X = 88;
const GAP_Y = 20;

export interface Placed {
  width: number;
  height: number;
  boxes: Map<string, { x: number; y: number }>;
  lines: { key: string; path: string; strategy: string; x: number; y: number; from: string }[];
}

/** placePlan puts operators in columns: each behind all that it reads from. */
export function placePlan(nodes: readonly PlanNode[]): Placed {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const depths = new Map<string, number>();
  const depth = (id: string, trail: ReadonlySet<string>): number => {
    const found = depths.get(id);
    if (found !== undefined) return found;
    if (trail.has(id)) return 0;
    const before = (known.get(id)?.predecessors ?? []).filter((p) => known.has(p.id));
    const deeper = new Set([...trail, id]);
    const value = before.length === 0 ? 0 : 1 + Math.max(...before.map((p) => depth(p.id, deeper)));
    depths.set(id, value);
    return value;
  };
  const columns: PlanNode[][] = [];
  for (const node of nodes) {
    const at = depth(node.id, new Set());
    columns[at] = [...(columns[at] ?? []), node];
  }
  const tallest = Math.max(1, ...columns.map((column) => column?.length ?? 0));
  const height = tallest * (BOX_HEIGHT + GAP_Y) - GAP_Y;
  const boxes = new Map<string, { x: number; y: number }>();
  columns.forEach((column, i) => {
    const used = column.length * (BOX_HEIGHT + GAP_Y) - GAP_Y;
    column.forEach((node, j) => {
      boxes.set(node.id, { x: i * (BOX_WIDTH + GAP_X), y: (height - used) / 2 + j * (BOX_HEIGHT + GAP_Y) });
    });
  });
  const lines: Placed["lines"] = [];
  for (const node of nodes) {
    const to = boxes.get(node.id);
    for (const p of node.predecessors) {
      const from = boxes.get(p.id);
      if (!from || !to) continue;
      const [x1, y1] = [from.x + BOX_WIDTH, from.y + BOX_HEIGHT / 2];
      const [x2, y2] = [to.x, to.y + BOX_HEIGHT / 2];
      const bend = Math.max(24, (x2 - x1) / 2);
      lines.push({
        key: `${p.id}→${node.id}`,
        path: `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
        strategy: p.strategy,
        x: (x1 + x2) / 2,
        y: (y1 + y2) / 2,
        from: p.id,
      });
    }
  }
  return { width: columns.length * (BOX_WIDTH + GAP_X) - GAP_X, height, boxes, lines };
}
