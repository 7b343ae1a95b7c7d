// Protobuf's JSON has 64-bit numbers as strings; here they become numbers, at the edge.

/** num is the number in a field; 0 for one that is not set. */
export function num(value: string | number | null | undefined): number {
  if (value === undefined || value === null || value === "") return 0;
  return Number(value);
}

/** maybe is the number in a field, or undefined for one that is not set. */
export function maybe(value: string | number | null | undefined): number | undefined {
  return value === undefined || value === null || value === "" ? undefined : Number(value);
}

/** date is the time in a field, or undefined for one that is not set. */
export function date(value: string | null | undefined): Date | undefined {
  if (!value) return undefined;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** millis is the time of a field in milliseconds since the epoch, which may come as a string. */
export function millis(value: string | number | null | undefined): Date | undefined {
  const n = maybe(value);
  return n === undefined || Number.isNaN(n) ? undefined : new Date(n);
}
