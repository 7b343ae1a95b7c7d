import type { Hit } from "@/search/store";
import { show, valueAt } from "./document";

/** valuesIn are the values of a field in the documents at hand, the most frequent first. */
export function valuesIn(hits: readonly Hit[], field: string): string[] {
  const name = field.replace(/\\(.)/g, "$1").replace(/\.keyword$/, "");
  const counts = new Map<string, number>();
  for (const hit of hits.slice(0, 500)) {
    const value = valueAt(hit._source, name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined || one === null || typeof one === "object") continue;
      const text = show(one);
      if (text.length <= 200) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([text]) => text);
}
