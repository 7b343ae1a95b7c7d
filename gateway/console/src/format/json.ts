// JSON as it was sent: whole numbers beyond 2^53 stay exact, as bigint.

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

const exact: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !context?.source) return value;
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
};

/** parseJson gives the value of a JSON text, or undefined for what is none. */
export function parseJson(text: string): unknown {
  const first = text.trimStart()[0];
  if (first === undefined || !'{["-0123456789tfn'.includes(first)) return undefined;
  try {
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}

/** writeJson is JSON.stringify that knows bigint. */
export function writeJson(value: unknown, indent?: number): string {
  if (typeof value === "bigint") return String(value);
  if (!hasBig(value)) return JSON.stringify(value, undefined, indent) ?? "";
  const pad = (depth: number) => (indent ? `\n${" ".repeat(indent * depth)}` : "");
  const write = (v: unknown, depth: number): string => {
    if (typeof v === "bigint") return String(v);
    if (typeof v !== "object" || v === null) return JSON.stringify(v) ?? "null";
    const items = Array.isArray(v)
      ? v.map((item) => write(item, depth + 1))
      : Object.entries(v).map(([key, item]) => `${JSON.stringify(key)}:${indent ? " " : ""}${write(item, depth + 1)}`);
    const [open, close] = Array.isArray(v) ? ["[", "]"] : ["{", "}"];
    if (items.length === 0) return `${open}${close}`;
    return `${open}${pad(depth + 1)}${items.join(`,${pad(depth + 1)}`)}${pad(depth)}${close}`;
  };
  return write(value, 0);
}

function hasBig(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasBig);
}
