import { type Line, lastOf } from "./answers";

interface Share {
  name: string;
  value: number;
}

/** sharesOf are the values as parts of a whole, the largest first; the small ones together. */
export function sharesOf(lines: readonly Line[], most: number, others: string): Share[] {
  const all = lines
    .map((line) => ({
      name: line.name,
      value: line.times.length > 1 ? line.values.reduce<number>((sum, v) => sum + (v ?? 0), 0) : (lastOf(line) ?? 0),
    }))
    .filter((share) => share.value > 0)
    .sort((a, b) => b.value - a.value);
  if (all.length <= most) return all;
  const rest = all.slice(most - 1).reduce((sum, share) => sum + share.value, 0);
  return [...all.slice(0, most - 1), { name: others, value: rest }];
}
