import type { Schema } from "@weirflow/sdk";
import { maybe, num } from "@/api/numbers";
import { useText } from "@/i18n";
import { Badge } from "@/ui";
import { text } from "./text";

export type Job = Schema<"Job">;

export function JobStateBadge({ job }: { job: Job }) {
  const t = useText(text);
  const state = job.status?.state;
  const title = job.status?.error || undefined;
  switch (state) {
    case "JOB_STATE_RUNNING":
      return <Badge>{t.running}</Badge>;
    case "JOB_STATE_FAILED":
      return (
        <Badge tone="bad" title={title}>
          {t.failedState}
        </Badge>
      );
    case "JOB_STATE_RESTARTING":
      return (
        <Badge tone="bad" title={title}>
          {t.restarting}
        </Badge>
      );
    case "JOB_STATE_INITIALIZING":
      return <Badge>{t.initializing}</Badge>;
    case "JOB_STATE_SUSPENDED":
      return <Badge>{t.suspended}</Badge>;
    case "JOB_STATE_FINISHED":
      return <Badge>{t.finished}</Badge>;
    default:
      return <Badge>{t.created}</Badge>;
  }
}

/** isActive says whether a job runs or tries to. */
export function isActive(job: Job): boolean {
  const state = job.status?.state;
  return state === "JOB_STATE_RUNNING" || state === "JOB_STATE_INITIALIZING" || state === "JOB_STATE_RESTARTING";
}

/** lagOf is how far a job is behind in all, and the age of its oldest unread record. */
export function lagOf(job: Job): { records: number | undefined; millis: number | undefined } {
  const sources = job.status?.sources ?? [];
  if (sources.length === 0) return { records: undefined, millis: undefined };
  return {
    records: sources.reduce((sum, source) => sum + num(source.lag), 0),
    millis: Math.max(...sources.map((source) => maybe(source.lagMillis) ?? 0)),
  };
}

/** stateBytes is how much state the operators of a job keep, about. */
export function stateBytes(job: Job): number {
  return (job.status?.operators ?? []).reduce((sum, operator) => sum + num(operator.stateBytes), 0);
}
