import type { Schema } from "@weirflow/sdk";
import { date } from "@/api/numbers";

export type Rota = Schema<"Rota">;
export type Layer = Schema<"Layer">;
export type Restriction = Schema<"Restriction">;
export type Shift = Schema<"Shift">;
export type Person = Schema<"Person">;

export const HOURS = [1, 2, 3, 4, 6, 8, 12] as const;

export type RotaProblem = "name" | "zone" | "layers" | "people" | "start" | "length" | "time" | "person";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const CLOCK = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

export function isName(name: string): boolean {
  return NAME.test(name);
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** problemOf is what is wrong with a rota first; the server looks at the rest. */
export function problemOf(rota: Rota, people: readonly string[]): RotaProblem | undefined {
  if (!isName(rota.name ?? "")) return "name";
  if (rota.timeZone && !isZone(rota.timeZone)) return "zone";
  if (!rota.layers?.length) return "layers";
  for (const layer of rota.layers) {
    if (!layer.people?.length) return "people";
    if (layer.people.some((name) => !people.includes(name))) return "person";
    if (!/^\d{4}-\d{2}-\d{2}$/.test(layer.start ?? "")) return "start";
    if (!((layer.days ?? 0) >= 1 || HOURS.some((h) => h === layer.hours))) return "length";
    const clocks = [layer.handOver, ...(layer.restrictions ?? []).flatMap((r) => [r.from, r.to])];
    if (clocks.some((clock) => clock && !CLOCK.test(clock))) return "time";
  }
  return undefined;
}

/** emptyLayer has turns of a week from the last Monday on, so that it counts at once. */
export function emptyLayer(name: string, today: Date): Layer {
  const two = (n: number) => String(n).padStart(2, "0");
  const monday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  while (monday.getDay() !== 1) monday.setDate(monday.getDate() - 1);
  const start = `${monday.getFullYear()}-${two(monday.getMonth() + 1)}-${two(monday.getDate())}`;
  return { name, people: [], start, handOver: "09:00", days: 7, restrictions: [] };
}

/** Block is a shift's place in a line of time: shares of its width. */
export interface Block {
  shift: Shift;
  left: number;
  width: number;
}

/** blocksOf places shifts between two times. */
export function blocksOf(shifts: readonly Shift[], from: number, to: number): Block[] {
  return shifts.flatMap((shift) => {
    const a = Math.max(from, date(shift.from)?.getTime() ?? from);
    const b = Math.min(to, date(shift.to)?.getTime() ?? to);
    return b > a ? [{ shift, left: (a - from) / (to - from), width: (b - a) / (to - from) }] : [];
  });
}

/** moved puts one of a list a place up or down. */
export function moved<T>(list: readonly T[], at: number, by: number): T[] {
  const to = at + by;
  const next = [...list];
  const [one] = next.splice(at, 1);
  if (one === undefined || to < 0 || to >= list.length) return [...list];
  next.splice(to, 0, one);
  return next;
}
