import type { Schema } from "@weirflow/sdk";
import { date } from "@/api/numbers";
import type { TimeSeries } from "@/ui";

type Series = Schema<"Series">;

/** number is a sample's value: in JSON NaN and the infinities are texts, which no line has. */
function number(value: unknown): number | null {
  const n = Number(value ?? 0);
  return Number.isFinite(n) ? n : null;
}

/** chartOf puts series on one row of times; where one has no sample, there is a gap. */
export function chartOf(all: readonly Series[], otherwise: string): { times: number[]; series: TimeSeries[] } {
  const columns = all.map(
    (s) => new Map((s.samples ?? []).flatMap((x) => [[date(x.time)?.getTime() ?? 0, number(x.value)] as const])),
  );
  const times = [...new Set(columns.flatMap((c) => [...c.keys()]))].sort((a, b) => a - b);
  const names = namesOf(
    all.map((s) => s.labels ?? {}),
    otherwise,
  );
  return {
    times,
    series: columns.map((column, i) => ({
      name: names[i] ?? otherwise,
      values: times.map((t) => column.get(t) ?? null),
    })),
  };
}

/** namesOf tells series apart by those labels in which they differ. */
export function namesOf(all: readonly Record<string, string>[], otherwise: string): string[] {
  const keys = [...new Set(all.flatMap((labels) => Object.keys(labels)))].filter(
    (key) => new Set(all.map((labels) => labels[key])).size > 1,
  );
  return all.map((labels) => {
    const text = keys
      .filter((key) => labels[key])
      .map((key) => (keys.length === 1 ? labels[key] : `${key}=${labels[key]}`))
      .join(" ");
    return text || labels.__name__ || otherwise;
  });
}

/** splitComparison takes the limit off the end of a query, so that the value itself can be drawn. */
export function splitComparison(expr: string): { expr: string; limit?: number } {
  const match = /^([\s\S]*?\S)\s*(?:>=|<=|==|>|<)\s*(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i.exec(expr);
  const left = match?.[1];
  if (!left || /\b(?:and|or|unless)\b|[<>!=]$/i.test(outside(left)) || /[<>]|==/.test(outside(left))) return { expr };
  return { expr: left, limit: Number(match?.[2]) };
}

/** outside is a query without what stands in brackets and quotes. */
function outside(expr: string): string {
  let text = expr.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\([^()]*\)|\{[^{}]*\}|\[[^[\]]*\]/g, "");
  }
  return text;
}
