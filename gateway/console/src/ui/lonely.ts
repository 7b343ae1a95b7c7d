/**
 * lonely are the places of values without a neighbour: a line through one point is none,
 * so they are drawn as dots. A line goes on over undefined, and ends at null.
 */
export function lonely(values: readonly (number | null | undefined)[]): number[] {
  const found: number[] = [];
  const known = values.flatMap((value, i) => (value === undefined ? [] : [i]));
  known.forEach((at, k) => {
    const beside = (other: number | undefined) => other !== undefined && values[other] !== null;
    if (values[at] !== null && !beside(known[k - 1]) && !beside(known[k + 1])) found.push(at);
  });
  return found;
}
