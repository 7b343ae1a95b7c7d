import type { Panel } from "./model";

export const COLUMNS = 24;

/** Box is a place on the grid. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

type Placed = Box & { id: string };

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** inside keeps a box on the grid. */
export function inside(box: Box): Box {
  const width = Math.min(COLUMNS, Math.max(1, Math.round(box.width)));
  const x = Math.min(COLUMNS - width, Math.max(0, Math.round(box.x)));
  return { x, width, y: Math.max(0, Math.round(box.y)), height: Math.max(1, Math.round(box.height)) };
}

const reading = (a: Box, b: Box) => a.y - b.y || a.x - b.x;

/**
 * compact lets panels rise until they lie under others, in the order in which one reads
 * them. `first` keeps its place before others: the panel that is being moved.
 */
export function compact<T extends Placed>(panels: readonly T[], first?: string): T[] {
  const order = panels.toSorted((a, b) => a.y - b.y || Number(b.id === first) - Number(a.id === first) || a.x - b.x);
  const done: T[] = [];
  for (const panel of order) {
    let y = panel.y;
    while (done.some((other) => overlap(other, { ...panel, y }))) y++;
    while (y > 0 && !done.some((other) => overlap(other, { ...panel, y: y - 1 }))) y--;
    done.push({ ...panel, y });
  }
  const byId = new Map(done.map((panel) => [panel.id, panel]));
  return panels.map((panel) => byId.get(panel.id) ?? panel);
}

/** place puts a panel where it was dragged to, or makes it as large; others make room. */
export function place(panels: readonly Panel[], id: string, to: Box): Panel[] {
  const box = inside(to);
  return compact(
    panels.map((panel) => (panel.id === id ? { ...panel, ...box } : panel)),
    id,
  );
}

/** add puts a new panel where there is room for it, under all others at worst. */
export function add(panels: readonly Panel[], panel: Panel): Panel[] {
  const bottom = Math.max(0, ...panels.map((one) => one.y + one.height));
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x + panel.width <= COLUMNS; x++) {
      const box = { x, y, width: panel.width, height: panel.height };
      if (y + panel.height <= bottom && !panels.some((one) => overlap(one, box)))
        return [...panels, { ...panel, x, y }];
    }
  }
  return [...panels, { ...panel, x: 0, y: bottom }];
}

/** inReadingOrder is how panels follow one another on a narrow screen, and by Tab. */
export function inReadingOrder(panels: readonly Panel[]): Panel[] {
  return panels.toSorted(reading);
}
