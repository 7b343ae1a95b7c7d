import type { Field } from "@/search/fields";
import type { Suggestions } from "@/search/suggest";

const WORDS = ["AND", "OR", "NOT"];

/**
 * complete says what may stand at the caret of a query: a field's name where a word
 * begins, a value that is known where a field's name and a colon stand before.
 */
export function complete(
  typed: string,
  caret: number,
  fields: readonly Field[],
  valuesOf: (field: string) => readonly string[],
): Suggestions {
  const before = typed.slice(0, caret);
  if (insideQuotes(before)) return { from: caret, items: [] };
  const word = /[^\s()]*$/.exec(before)?.[0] ?? "";
  const from = caret - word.length;
  const colon = /^([+\-!]?)((?:[^:\\]|\\.)+):(.*)$/.exec(word);
  if (colon) {
    const [, , name = "", value = ""] = colon;
    const clean = value.replace(/^[<>=]+/, "");
    const items = valuesOf(name)
      .filter((one) => one.toLowerCase().includes(clean.replace(/^"/, "").toLowerCase()))
      .slice(0, 20)
      .map((one) => ({ text: quoted(one) }));
    return { from: caret - clean.length, items };
  }
  const sign = /^[+\-!]/.test(word) ? 1 : 0;
  const wanted = word.slice(sign).toLowerCase();
  const names = fields
    .filter((field) => field.searchable && field.name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a.name, wanted) - rank(b.name, wanted) || a.name.localeCompare(b.name))
    .slice(0, 50)
    .map((field) => ({ text: `${escaped(field.name)}:`, detail: field.types.join(", ") }));
  const last = before.slice(0, from).trimEnd();
  const operators =
    last !== "" && !/(?:\b(?:AND|OR|NOT)|[(:])$/.test(last)
      ? WORDS.filter((one) => one.toLowerCase().startsWith(wanted)).map((one) => ({ text: `${one} ` }))
      : [];
  return { from: from + sign, items: wanted === "" ? [...operators, ...names] : [...names, ...operators] };
}

function rank(name: string, wanted: string): number {
  const at = name.toLowerCase().indexOf(wanted);
  return at === 0 ? 0 : name[at - 1] === "." ? 1 : 2;
}

function insideQuotes(text: string): boolean {
  return (text.replace(/\\./g, "").match(/"/g)?.length ?? 0) % 2 === 1;
}

/** quoted is a value as a query has it: in quotes where it is more than a word. */
export function quoted(value: string): string {
  return /^[\p{L}\p{N}_.]+$/u.test(value) && !WORDS.includes(value)
    ? value
    : `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}

/** escaped is a field's name as a query has it. */
function escaped(name: string): string {
  return name.replace(/[\s:()"\\]/g, (letter) => `\\${letter}`);
}
