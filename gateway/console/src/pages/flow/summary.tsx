import { useQueries } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { Ago, rate, whole } from "@/format";
import { useText } from "@/i18n";
import { Badge } from "@/ui";
import type { Account, Verdict } from "./ledger";
import { type FlowNode, place } from "./node";
import { intoTopics, waiting } from "./sources";
import { text } from "./text";

export interface Picture {
  flow: Schema<"Flow">;
  accounts: Account[];
  verdicts: Map<string, Verdict>;
  /** lastLine is when lines were last seen to come in; not set: not since the page is open. */
  lastLine: Date | undefined;
}

/** Summary says in a line whether all is well: what fails, what is late, what is lost. */
export function Summary({ picture }: { picture: Picture }) {
  const t = useText(text);
  const nodes = picture.flow.nodes ?? [];
  const failed = nodes.filter((node) => node.health === "HEALTH_FAILED");
  // An alert that waits for somebody is not late: nothing that flows is.
  const late = nodes.filter((node) => node.health === "HEALTH_LATE" && node.kind !== "NODE_KIND_ALERTS");
  const lost = picture.accounts
    .filter((a) => picture.verdicts.get(a.key) === "unbalanced")
    .reduce((sum, a) => sum + Math.abs(a.difference), 0);
  const wait = waiting(nodes);
  const well = failed.length + late.length + lost === 0;
  const incoming = intoTopics(picture.flow).reduce((sum, edge) => sum + (edge.rate ?? 0), 0);
  return (
    <span className="row wrap flow-summary">
      <span className="row wrap" role="status">
        {failed.length > 0 && <Chip tone="bad" of={failed} words={t.failed(failed.length)} />}
        {lost > 0 && (
          <a href="#ledger" title={t.lostWhy}>
            <Badge tone="bad">{t.lost(whole(lost))}</Badge>
          </a>
        )}
        {late.length > 0 && <Chip tone="late" of={late} words={t.late(late.length)} />}
        {wait > 0 && (
          <Link href="/alerts" title={t.waitWhy}>
            <Badge tone="late">{t.wait(whole(wait))}</Badge>
          </Link>
        )}
      </span>
      {well && <span className="soft num">{incoming > 0 ? t.well(rate(incoming)) : <Still picture={picture} />}</span>}
    </span>
  );
}

/** Chip counts nodes; it says which they are and why, and leads to the first. */
function Chip({ tone, of, words }: { tone: "bad" | "late"; of: FlowNode[]; words: string }) {
  const [first] = of;
  return (
    <Link
      href={first ? place(first) : "/flow"}
      title={of.map((node) => [node.name, node.reason].filter(Boolean).join(": ")).join("\n")}
    >
      <Badge tone={tone}>{words}</Badge>
    </Link>
  );
}

/** TOPICS are how many topics are asked for their last message at most. */
const TOPICS = 10;

/** Still says since when no line came: nothing may move for some seconds where files are written in bursts. */
function Still({ picture }: { picture: Picture }) {
  const t = useText(text);
  const known = useLastMessage(picture.lastLine ? [] : intoTopics(picture.flow).flatMap((edge) => edge.to ?? []));
  const at = picture.lastLine ?? known;
  if (!at) return t.quiet;
  return (
    <>
      {t.lastLine}
      <Ago at={at} />
      {t.allWell}
    </>
  );
}

/** useLastMessage is when the last message of some topics was written; asked for once. */
function useLastMessage(nodes: readonly string[]): Date | undefined {
  const topics = [...new Set(nodes)].slice(0, TOPICS).map((id) => id.replace(/^topic\//, ""));
  return useQueries({
    queries: topics.map((topic) => ({
      queryKey: ["flow", "last", topic],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get("/api/v1/topics/{topic}/messages", {
          path: { topic },
          query: { pageSize: 1, "start.last": "1" },
          signal,
        }),
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: false,
    })),
    combine: (answers) => {
      const times = answers.flatMap((one) => date(one.data?.messages?.at(-1)?.timestamp)?.getTime() ?? []);
      return times.length > 0 ? new Date(Math.max(...times)) : undefined;
    },
  });
}
