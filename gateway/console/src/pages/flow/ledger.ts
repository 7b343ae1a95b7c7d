import type { Schema } from "@weirflow/sdk";
import { num } from "@/api/numbers";

/** Account is a stage with its numbers, and what of them does not add up. */
export interface Account {
  key: string;
  service: string;
  name: string;
  in: number;
  out: number;
  filtered: number;
  deadLettered: number;
  inFlight: number;
  /** difference is in − (out + filtered + dead-lettered + in flight): above zero, so many are missing. */
  difference: number;
}

export function account(stage: Schema<"Stage">): Account {
  const a = {
    key: `${stage.service}/${stage.name}/${stage.instance}`,
    service: stage.service ?? "",
    name: stage.name ?? "",
    in: num(stage.in),
    out: num(stage.out),
    filtered: num(stage.filtered),
    deadLettered: num(stage.deadLettered),
    inFlight: num(stage.inFlight),
  };
  return { ...a, difference: a.in - a.out - a.filtered - a.deadLettered - a.inFlight };
}

export type Verdict = "balanced" | "settling" | "unbalanced";

/** PICTURES is after how many pictures with the same difference it is no matter of counting at different moments. */
const PICTURES = 4;

/**
 * Auditor tells a stage whose numbers were read while they moved from one that does not
 * balance: its difference stays.
 */
export class Auditor {
  private readonly seen = new Map<string, { difference: number; times: number }>();

  look(accounts: readonly Account[]): Map<string, Verdict> {
    const verdicts = new Map<string, Verdict>();
    for (const a of accounts) {
      const before = this.seen.get(a.key);
      const times = before?.difference === a.difference ? before.times + 1 : 1;
      this.seen.set(a.key, { difference: a.difference, times });
      verdicts.set(a.key, a.difference === 0 ? "balanced" : times >= PICTURES ? "unbalanced" : "settling");
    }
    return verdicts;
  }
}
