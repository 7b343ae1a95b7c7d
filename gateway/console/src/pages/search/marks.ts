// Where a highlighted text begins and ends: characters for private use, which no log has.
export const MARK_START = "\ue000";
export const MARK_END = "\ue001";

export interface Piece {
  text: string;
  marked: boolean;
}

/** piecesOf parts a highlighted text into what matched and what did not. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (const [i, part] of text.split(MARK_START).entries()) {
    const end = i === 0 ? -1 : part.indexOf(MARK_END);
    if (end > 0) pieces.push({ text: part.slice(0, end), marked: true });
    const rest = part.slice(end + 1);
    if (rest) pieces.push({ text: rest, marked: false });
  }
  return pieces;
}

/** plain is the text without marks. */
export function plain(text: string): string {
  return text.replaceAll(MARK_START, "").replaceAll(MARK_END, "");
}
