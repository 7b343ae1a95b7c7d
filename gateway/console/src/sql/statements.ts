/** Statement is one statement of a script, with its place. */
export interface Statement {
  text: string;
  from: number;
  to: number;
}

/** splitStatements cuts a script at its semicolons: not at those in texts, names and comments. */
export function splitStatements(script: string): Statement[] {
  const statements: Statement[] = [];
  let from = 0;
  let at = 0;
  const end = (to: number) => {
    const text = script.slice(from, to);
    if (stripComments(text).trim() !== "") statements.push({ text: text.trim(), from, to });
    from = to + 1;
  };
  while (at < script.length) {
    const next = skip(script, at);
    if (next > at) {
      at = next;
      continue;
    }
    if (script[at] === ";") end(at);
    at++;
  }
  end(script.length);
  return statements;
}

/** skip is the end of the text, name or comment that begins at a place; the place itself if none does. */
function skip(script: string, at: number): number {
  const two = script.slice(at, at + 2);
  if (two === "--") return until(script, "\n", at + 2, 0);
  if (two === "/*") return until(script, "*/", at + 2, 2);
  const quote = script[at];
  if (quote !== "'" && quote !== "`" && quote !== '"') return at;
  let end = at + 1;
  while (end < script.length) {
    if (script[end] !== quote) end++;
    else if (script[end + 1] === quote) end += 2;
    else return end + 1;
  }
  return script.length;
}

function until(script: string, mark: string, from: number, extra: number): number {
  const at = script.indexOf(mark, from);
  return at < 0 ? script.length : at + extra;
}

/** stripComments puts spaces in place of comments: everything else stays where it was. */
export function stripComments(text: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const next = skip(text, at);
    if (next === at) out += text[at++];
    else {
      const comment = text.startsWith("--", at) || text.startsWith("/*", at);
      out += comment ? blank(text.slice(at, next)) : text.slice(at, next);
      at = next;
    }
  }
  return out;
}

/** blank is a text's room without the text: lines stay. */
function blank(text: string): string {
  return text.replace(/[^\n]/gu, " ");
}

const SET_START = /^\s*(?:EXECUTE\s+STATEMENT\s+SET\s+BEGIN|BEGIN\s+STATEMENT\s+SET)\b/i;
const EXPLAIN = /^\s*EXPLAIN\b[A-Z_,\s]*?(?=\b(?:SELECT|WITH|VALUES)\b)/i;
const DEFINES = /^\s*(?:CREATE|ALTER|DROP|SET|RESET|USE|LOAD)\b/i;
const QUERY = /^\s*(?:SELECT\b|WITH\b|VALUES\b|\()/i;
const QUERY_WORD = /^(?:SELECT|WITH|VALUES)\b/i;

/** queryStart is where the query in a statement begins: behind what says where its rows go. */
function queryStart(statement: string): number | undefined {
  const text = stripComments(statement);
  const before = (SET_START.exec(text) ?? EXPLAIN.exec(text))?.[0].length ?? 0;
  const rest = text.slice(before);
  if (QUERY.test(rest)) return before;
  if (!/^\s*INSERT\s/i.test(rest)) return undefined;
  const query = queryIn(rest);
  return query < 0 ? undefined : before + query;
}

/** queryIn is where the query of an INSERT begins: behind table, partition and columns. */
function queryIn(text: string): number {
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const next = skip(text, at);
    if (next > at) {
      at = next;
      continue;
    }
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    else if (depth === 0 && /\W/.test(text[at - 1] ?? "") && QUERY_WORD.test(text.slice(at, at + 7))) return at;
    at++;
  }
  return -1;
}

/** Range is a part of a script, such as what is selected. */
export interface Range {
  from: number;
  to: number;
}

/**
 * previewScript is what a preview runs: the query that is chosen, or the script's last, and
 * before it all that defines something. Everything stands where it stands in the script, so
 * that the places in errors are those of the editor. Without a query there is none.
 */
export function previewScript(script: string, chosen?: Range): string | undefined {
  const statements = splitStatements(script);
  const within = chosen ?? { from: 0, to: script.length };
  const query = splitStatements(script.slice(within.from, within.to))
    .map((one) => ({ from: one.from + within.from, to: one.to + within.from }))
    .map(({ from, to }) => ({ start: queryStart(script.slice(from, to)), from, to }))
    .findLast((one) => one.start !== undefined);
  if (query?.start === undefined) return undefined;
  const start = query.from + query.start;
  const kept = statements.filter(({ from, to }) => to <= start && DEFINES.test(stripComments(script.slice(from, to))));
  let at = 0;
  let out = "";
  for (const { from, to } of kept) {
    out += blank(script.slice(at, from)) + script.slice(from, to + 1);
    at = to + 1;
  }
  return `${out}${blank(script.slice(at, start))}${script.slice(start, query.to)};`;
}

/** Query is the last query of a script: what it asks, and what is defined before it. */
export interface Query {
  sql: string;
  /** bare: nothing is done with its rows; then it stands from `from` to `to`. */
  bare: boolean;
  from: number;
  to: number;
  defines: string;
}

/** lastQuery is the last SELECT of a script that stands alone, or else the last one of an INSERT. */
export function lastQuery(script: string): Query | undefined {
  const statements = splitStatements(script);
  const alone = ({ from, to }: Statement) => QUERY.test(stripComments(script.slice(from, to)));
  const found =
    statements.findLast(alone) ??
    statements.findLast(({ from, to }) => queryStart(script.slice(from, to)) !== undefined);
  if (!found) return undefined;
  const text = script.slice(found.from, found.to);
  const bare = alone(found);
  const from = beginning(script, found.from + (bare ? 0 : (queryStart(text) ?? 0)), found.to);
  const defines = statements
    .filter((one) => one.to <= found.from && DEFINES.test(stripComments(one.text)))
    .map((one) => `${one.text};\n`);
  return { sql: script.slice(from, found.to).trim(), bare, from, to: found.to, defines: defines.join("") };
}

/** maskedOptions are the options whose secret is not shown: where their values stand. */
export function maskedOptions(script: string): (Position & { name: string })[] {
  const found: (Position & { name: string })[] = [];
  // Comments become room, so that places stay.
  for (const match of stripComments(script).matchAll(/'([^'\n]+)'(\s*=\s*)'\*{6}'/g)) {
    const at = match.index + (match[1]?.length ?? 0) + 2 + (match[2]?.length ?? 0);
    found.push({ ...positionOf(script, at), name: match[1] ?? "" });
  }
  return found;
}

/** placed takes the place off the front of an error: "line 3, column 5: …". */
export function placed(message: string): (Position & { message: string }) | undefined {
  const match = /^line (\d+), column (\d+): ([\s\S]*)$/.exec(message);
  return match ? { line: Number(match[1]), column: Number(match[2]), message: match[3] ?? "" } : undefined;
}

/** writes says whether a script inserts anywhere: without, a job has nothing to run. */
export function writes(script: string): boolean {
  return splitStatements(script).some(({ text }) => /^\s*INSERT\s/i.test(stripComments(text).replace(SET_START, "")));
}

/** Position is a place in a script as the server counts: the first line and column are 1. */
export interface Position {
  line: number;
  column: number;
}

/** bareQueries are where queries stand that nothing is done with: for a preview they are all one needs. */
export function bareQueries(script: string): Position[] {
  return splitStatements(script)
    .filter(({ text }) => QUERY.test(stripComments(text)))
    .map(({ from, to }) => positionOf(script, beginning(script, from, to)));
}

/** beginning is where the first word of a statement stands, behind spaces and comments. */
function beginning(script: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    if (script.startsWith("--", at) || script.startsWith("/*", at)) at = skip(script, at);
    else if (/\s/.test(script[at] ?? "")) at++;
    else break;
  }
  return at;
}

function positionOf(script: string, at: number): Position {
  const before = script.slice(0, at).split("\n");
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}
