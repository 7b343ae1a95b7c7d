import { RESERVED } from "./reserved";

/** quoteName writes a name so that SQL takes it: in backquotes where it needs them. */
export function quoteName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toUpperCase())) return name;
  return `\`${name.replaceAll("`", "``")}\``;
}

/** quoteText writes a text as SQL's literal. */
export function quoteText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** tableName makes a name for a table of another name: topic-app-info is topic_app_info. */
export function tableName(of: string): string {
  const plain = of.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[A-Za-z]/.test(plain) ? plain : `t_${plain}`;
}

/** brokersIn finds where the jobs that run already read from. */
export function brokersIn(scripts: readonly string[]): string | undefined {
  for (const sql of scripts) {
    const found = /'properties\.bootstrap\.servers'\s*=\s*'([^']+)'/.exec(sql)?.[1];
    if (found) return found;
  }
  return undefined;
}

/** searchUrlIn finds the search store that the jobs already write to. */
export function searchUrlIn(scripts: readonly string[]): string | undefined {
  for (const sql of scripts) {
    const found = /'(?:connector\.)?hosts'\s*=\s*'([^']+)'/.exec(sql)?.[1];
    if (found) return found.split(";")[0];
  }
  return undefined;
}
