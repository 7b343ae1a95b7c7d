const two = (n: number) => String(n).padStart(2, "0");

/** localTime is a time for a field of the type datetime-local, in the browser's zone. */
export function localTime(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** fromLocal is the time in such a field; undefined for none. */
export function fromLocal(text: string): Date | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at;
}
