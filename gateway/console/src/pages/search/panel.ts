import type { Filter } from "./filter";

// A panel has a query alone: what filters say is written into it.

/** panelQuery is a search's query together with its filters, in the query string's syntax. */
export function panelQuery(query: string, filters: readonly Filter[]): string {
  if (filters.length === 0) return query;
  const clauses = filters.map(clause);
  return [...(query ? [`(${query})`] : []), ...clauses].join(" AND ");
}

function clause({ field, op, value }: Filter): string {
  const name = field.replace(/[^\w.@-]/g, "\\$&");
  if (op === "exists") return `_exists_:${name}`;
  if (op === "missing") return `NOT _exists_:${name}`;
  const text = typeof value === "string" ? `"${value.replace(/[\\"]/g, "\\$&")}"` : plain(value);
  return `${op === "not" ? "NOT " : ""}${name}:${text}`;
}

/** plain is a number or truth value; a sign in front would be an operator. */
function plain(value: Filter["value"]): string {
  const text = String(value);
  return text.startsWith("-") ? `"${text}"` : text;
}
