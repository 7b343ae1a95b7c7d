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

/** stripComments leaves comments out; each becomes a space. */
export function stripComments(text: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const next = skip(text, at);
    if (next === at) out += text[at++];
    else {
      const comment = text.startsWith("--", at) || text.startsWith("/*", at);
      out += comment ? " " : text.slice(at, next);
      at = next;
    }
  }
  return out;
}

const SET_START = /^(?:EXECUTE\s+STATEMENT\s+SET\s+BEGIN|BEGIN\s+STATEMENT\s+SET)\b\s*/i;
const DEFINES = /^(?:CREATE|ALTER|DROP|SET|RESET|USE|LOAD)\b/i;
const QUERY = /^(?:SELECT|WITH|VALUES|\()/i;

/** queryOf is the query in a statement: the statement itself, or what an INSERT inserts. */
function queryOf(statement: string): string | undefined {
  const text = stripComments(statement).trim().replace(SET_START, "");
  if (QUERY.test(text)) return text;
  const explain = /^EXPLAIN\b(?:\s+[A-Z_, ]*?)?\s+(?=SELECT|WITH|VALUES)/i.exec(text);
  if (explain) return text.slice(explain[0].length);
  if (!/^INSERT\s/i.test(text)) return undefined;
  const query = queryIn(text);
  return query < 0 ? undefined : text.slice(query);
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
    else if (
      depth === 0 &&
      /^(?:SELECT|WITH|VALUES)\b/i.test(text.slice(at, at + 7)) &&
      /\W/.test(text[at - 1] ?? "")
    ) {
      return at;
    }
    at++;
  }
  return -1;
}

/**
 * previewScript is what a preview runs: all that defines something, and the query that is
 * chosen, or the script's last. Without a query there is none.
 */
export function previewScript(script: string, chosen?: string): string | undefined {
  const statements = splitStatements(script).map((one) => one.text);
  const definitions = statements.filter((text) => DEFINES.test(stripComments(text).trim()));
  const candidates = chosen?.trim() ? splitStatements(chosen).map((one) => one.text) : statements;
  const query = candidates.map(queryOf).findLast((one) => one !== undefined);
  if (query === undefined) return undefined;
  return [...definitions, query].map((text) => `${text};`).join("\n");
}

/** writes says whether a script inserts anywhere: without, a job has nothing to run. */
export function writes(script: string): boolean {
  return splitStatements(script).some(({ text }) =>
    /^INSERT\s/i.test(stripComments(text).trim().replace(SET_START, "")),
  );
}
