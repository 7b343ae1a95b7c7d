import { quoteName } from "./names";
import { stripComments } from "./statements";

export interface Catalog {
  tables: { name: string; view: boolean; columns: { name: string; type: string }[] }[];
  functions: { name: string; kind: string }[];
  keywords: string[];
  connectors: { name: string; options: string[] }[];
}

export interface Choice {
  /** label is what one sees and types against. */
  label: string;
  /** apply is what is put in, if it is not the label. */
  apply?: string;
  /** detail is a type or kind. */
  detail?: string;
  kind: "table" | "column" | "function" | "keyword" | "option" | "connector";
  /** boost sorts: the higher the earlier. */
  boost: number;
}

export interface Choices {
  /** from is where what is replaced begins. */
  from: number;
  choices: Choice[];
}

const WORD = /[\w`@$]*$/;

/** choicesAt is what may stand at a place of a script. */
export function choicesAt(script: string, at: number, catalog: Catalog): Choices | undefined {
  const before = script.slice(0, at);
  const text = openText(before);
  if (text !== undefined) return optionChoices(before, text, catalog);
  if (inComment(before)) return undefined;
  const word = WORD.exec(before)?.[0] ?? "";
  const from = at - word.length;
  const path = pathBefore(before.slice(0, from));
  if (path.length > 0) return { from, choices: memberChoices(script, at, path, catalog) };
  return { from, choices: openChoices(script, at, catalog) };
}

/** openText is where a text that is not closed yet begins, behind its quote. */
function openText(before: string): number | undefined {
  const statement = statementStart(before);
  let open: number | undefined;
  for (let i = statement; i < before.length; i++) {
    if (open === undefined && before.startsWith("--", i)) {
      const end = before.indexOf("\n", i);
      if (end < 0) return undefined;
      i = end;
    } else if (before[i] === "'") open = open === undefined ? i + 1 : undefined;
  }
  return open;
}

function inComment(before: string): boolean {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return stripComments(`${line}\n`).trim().length < line.trim().length && line.includes("--");
}

/** statementStart is the last semicolon outside of texts, about: one that ends a line or stands before a new one. */
function statementStart(before: string): number {
  const at = before.search(/;[^;]*$/);
  return at < 0 ? 0 : at + 1;
}

/** pathBefore are the names before a dot: for `a.b.` a and b. */
function pathBefore(before: string): string[] {
  const match = /((?:(?:`[^`]+`|\w+)\s*\.\s*)+)$/.exec(before);
  if (!match?.[1]) return [];
  return match[1]
    .split(/\s*\.\s*/)
    .filter(Boolean)
    .map(unquote);
}

function unquote(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name;
}

/** optionChoices are keys and values in WITH (…): the connectors, and the options of the one chosen. */
function optionChoices(before: string, from: number, catalog: Catalog): Choices | undefined {
  const statement = before.slice(statementStart(before), from - 1);
  const open = statement.search(/\bWITH\s*\((?![\s\S]*\bWITH\s*\()/i);
  if (open < 0) return undefined;
  const inside = statement.slice(open);
  if (/'connector(?:\.type)?'\s*=\s*$/i.test(inside)) {
    return {
      from,
      choices: catalog.connectors.map((one) => ({ label: one.name, kind: "connector", boost: 2 })),
    };
  }
  if (!/[(,]\s*$/.test(inside)) return undefined;
  const named = /'connector'\s*=\s*'([^']+)'/i.exec(inside)?.[1];
  const connector = catalog.connectors.find((one) => one.name === named);
  const used = new Set([...inside.matchAll(/'([^']+)'\s*=/g)].map((match) => match[1]));
  const options = connector ? connector.options : [...new Set(catalog.connectors.flatMap((one) => one.options))];
  const choices = ["connector", ...options]
    .filter((option, i, all) => !used.has(option) && all.indexOf(option) === i)
    .map<Choice>((option) => ({ label: option, kind: "option", boost: option === "connector" ? 3 : 1 }));
  return { from, choices };
}

/** aliases are the tables by the names that a script gives them in FROM and JOIN. */
function aliases(script: string, catalog: Catalog): Map<string, Catalog["tables"][number]> {
  const found = new Map(catalog.tables.map((table) => [table.name.toLowerCase(), table]));
  const named = /\b(?:FROM|JOIN|,)\s+(`[^`]+`|\w+)\s+(?:AS\s+)?(`[^`]+`|[A-Za-z_]\w*)/gi;
  for (const [, table = "", alias = ""] of stripComments(script).matchAll(named)) {
    const known = found.get(unquote(table).toLowerCase());
    if (known && !/^(?:WHERE|GROUP|ON|JOIN|LEFT|INNER|ORDER|WINDOW|FOR)$/i.test(alias)) {
      found.set(unquote(alias).toLowerCase(), known);
    }
  }
  return found;
}

/** memberChoices are what stands behind a dot: a table's columns, a row's fields. */
function memberChoices(script: string, at: number, path: string[], catalog: Catalog): Choice[] {
  const statement = around(script, at);
  const tables = aliases(statement, catalog);
  const [first = "", ...rest] = path;
  const table = tables.get(first.toLowerCase());
  if (table) {
    const columns = rest.length === 0 ? table.columns : follow(table.columns, rest);
    if (columns.length > 0) return columns.map(columnChoice);
  }
  for (const one of catalog.tables) {
    const fields = follow(one.columns, path);
    if (fields.length > 0) return fields.map(columnChoice);
  }
  return [];
}

interface Column {
  name: string;
  type: string;
}

/** follow goes down a path of rows to the fields at its end. */
function follow(columns: Column[], path: string[]): Column[] {
  let here = columns;
  for (const step of path) {
    const column = here.find((one) => one.name.toLowerCase() === step.toLowerCase());
    if (!column) return [];
    here = rowFields(column.type);
  }
  return here;
}

/** rowFields are the fields of a type ROW<name TYPE, …>. */
export function rowFields(type: string): Column[] {
  const inside = /^ROW\s*<([\s\S]*)>(?:\s+NOT\s+NULL)?$/i.exec(type.trim())?.[1];
  if (inside === undefined) return [];
  const fields: Column[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  const take = (to: number) => {
    const match = /^\s*(`(?:[^`]|``)+`|\S+)\s+([\s\S]+?)\s*$/.exec(inside.slice(from, to));
    if (match?.[1] && match[2]) fields.push({ name: unquote(match[1]), type: match[2] });
    from = to + 1;
  };
  for (let i = 0; i < inside.length; i++) {
    const c = inside[i];
    if (c === "`") quoted = !quoted;
    else if (quoted) continue;
    else if (c === "<" || c === "(") depth++;
    else if (c === ">" || c === ")") depth--;
    else if (c === "," && depth === 0) take(i);
  }
  take(inside.length);
  return fields;
}

function columnChoice(column: Column): Choice {
  return choice(column.name, "column", 4, column.type);
}

function choice(name: string, kind: Choice["kind"], boost: number, detail?: string): Choice {
  const quoted = quoteName(name);
  return { label: name, ...(quoted === name ? {} : { apply: quoted }), ...(detail ? { detail } : {}), kind, boost };
}

/** around is the statement about a place. */
function around(script: string, at: number): string {
  const from = statementStart(script.slice(0, at));
  const to = script.indexOf(";", at);
  return script.slice(from, to < 0 ? script.length : to);
}

/** openChoices are what may stand where a word begins: columns of the statement's tables first. */
function openChoices(script: string, at: number, catalog: Catalog): Choice[] {
  const statement = around(script, at).toLowerCase();
  const wantsTable = /\b(?:from|join|into|table|describe)\s+[\w`]*$/i.test(script.slice(0, at));
  const choices: Choice[] = [];
  const columns = new Map<string, Choice>();
  for (const table of catalog.tables) {
    choices.push(choice(table.name, "table", wantsTable ? 6 : 2, table.view ? "view" : "table"));
    const named = statement.includes(table.name.toLowerCase());
    if (wantsTable) continue;
    for (const column of table.columns) {
      const known = columns.get(column.name);
      if (!known || (named && known.boost < 5)) {
        columns.set(column.name, choice(column.name, "column", named ? 5 : 0, column.type));
      }
    }
  }
  choices.push(...columns.values());
  if (!wantsTable) {
    for (const one of catalog.functions) {
      choices.push({ label: one.name, apply: `${one.name}(`, detail: one.kind, kind: "function", boost: 1 });
    }
  }
  for (const word of catalog.keywords) choices.push({ label: word, kind: "keyword", boost: 0 });
  return choices;
}
