// A job's statements on their way from another page to the editor.

const KEY = "weirflow.draft";

/** keepDraft keeps statements for the editor of a new job. */
export function keepDraft(sql: string): void {
  try {
    sessionStorage.setItem(KEY, sql);
  } catch {
    // Without storage the editor opens empty.
  }
}

export function draft(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

export function dropDraft(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
