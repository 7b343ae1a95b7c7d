const SLOTS = 60;

/** History keeps the last values of each of many rates, for their sparklines. */
export class History {
  private series = new Map<string, number[]>();

  /** add takes a picture's values; what is not in it any more is forgotten. */
  add(values: ReadonlyMap<string, number>): void {
    const next = new Map<string, number[]>();
    for (const [key, value] of values) next.set(key, [...(this.series.get(key) ?? []).slice(1 - SLOTS), value]);
    this.series = next;
  }

  of(key: string): readonly number[] {
    return this.series.get(key) ?? [];
  }
}
