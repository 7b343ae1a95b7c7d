import type { Hit } from "@/search/store";
import { timeOf } from "./document";

/** Seen remembers the ids of the documents that came last. */
export class Seen {
  private now = new Set<string>();
  private before = new Set<string>();

  constructor(private readonly most = 20_000) {}

  /** add says whether an id is new. */
  add(id: string): boolean {
    if (this.now.has(id) || this.before.has(id)) return false;
    if (this.now.size >= this.most) {
      this.before = this.now;
      this.now = new Set();
    }
    this.now.add(id);
    return true;
  }
}

/** newestFirst puts documents in the order of their times; what is of one moment stays as it came. */
export function newestFirst(hits: readonly Hit[], timeField: string): Hit[] {
  return hits.toSorted((a, b) => (timeOf(b, timeField)?.getTime() ?? 0) - (timeOf(a, timeField)?.getTime() ?? 0));
}
