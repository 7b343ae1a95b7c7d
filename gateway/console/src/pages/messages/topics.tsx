import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useRef } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { part, useUrlState } from "@/app/url";
import { rate, whole } from "@/format";
import { useText } from "@/i18n";
import { Check, type ColumnDef, DataTable, DelayedInput, Empty, Page, QueryView } from "@/ui";
import { text } from "./text";

export type Topic = Schema<"Topic">;

/** records is how many messages a topic holds. */
export function records(topic: Topic): number {
  return (topic.partitions ?? []).reduce((sum, p) => sum + num(p.high) - num(p.low), 0);
}

function written(topic: Topic): number {
  return (topic.partitions ?? []).reduce((sum, p) => sum + num(p.high), 0);
}

/** listTopics asks page after page, up to a bound. */
export async function listTopics(includeInternal: boolean, signal: AbortSignal): Promise<Topic[]> {
  const all: Topic[] = [];
  let pageToken: string | undefined;
  do {
    const page = await api.get("/api/v1/topics", { query: { includeInternal, pageSize: 1000, pageToken }, signal });
    all.push(...(page.topics ?? []));
    pageToken = page.nextPageToken || undefined;
  } while (pageToken && all.length < 20_000);
  return all;
}

interface Seen {
  at: number;
  written: number;
  rate: number | undefined;
}

/** useRates says how fast topics grow, from one look to the next. */
function useRates(topics: Topic[] | undefined, at: number): Map<string, number | undefined> {
  const seen = useRef(new Map<string, Seen>());
  return useMemo(() => {
    const next = new Map<string, Seen>();
    for (const topic of topics ?? []) {
      const name = topic.name ?? "";
      const total = written(topic);
      const before = seen.current.get(name);
      const seconds = before ? (at - before.at) / 1000 : 0;
      if (before && seconds < 0.5) next.set(name, before);
      else {
        const speed = before ? Math.max(0, total - before.written) / seconds : undefined;
        next.set(name, { at, written: total, rate: speed });
      }
    }
    seen.current = next;
    return new Map([...next].map(([name, one]) => [name, one.rate]));
  }, [topics, at]);
}

export function TopicList() {
  const t = useText(text);
  const [, navigate] = useLocation();
  const [filter, setFilter] = useUrlState("name");
  const [internal, setInternal] = useUrlState("internal");
  const topics = useQuery({
    queryKey: ["topics", internal !== "", "all"],
    queryFn: ({ signal }) => listTopics(internal !== "", signal),
    refetchInterval: 3000,
  });
  const rates = useRates(topics.data, topics.dataUpdatedAt);
  const rows = useMemo(() => {
    const wanted = filter.toLowerCase();
    return (topics.data ?? []).filter((topic) => topic.name?.toLowerCase().includes(wanted));
  }, [topics.data, filter]);
  const columns = useMemo<ColumnDef<Topic>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.topic,
        cell: ({ row }) => <span className="strong break">{row.original.name}</span>,
      },
      {
        id: "records",
        accessorFn: records,
        header: t.records,
        meta: { align: "right" },
        cell: ({ getValue }) => <span className="num">{whole(getValue<number>())}</span>,
      },
      {
        id: "rate",
        accessorFn: (topic) => rates.get(topic.name ?? "") ?? -1,
        header: t.rate,
        meta: { align: "right" },
        cell: ({ getValue }) => {
          const speed = getValue<number>();
          return <span className={speed > 0 ? "num" : "num quiet"}>{speed < 0 ? "–" : rate(speed)}</span>;
        },
      },
      {
        id: "partitions",
        accessorFn: (topic) => topic.partitions?.length ?? 0,
        header: t.partitions,
        meta: { align: "right", className: "wide-only-cell" },
        cell: ({ getValue }) => <span className="num">{getValue<number>()}</span>,
      },
    ],
    [t, rates],
  );
  return (
    <Page title={t.title} place="messages" fill>
      <div className="toolbar">
        <DelayedInput
          label={t.filterTopics}
          placeholder={t.filterTopics}
          value={filter}
          onValue={setFilter}
          delayMs={100}
        />
        <Check label={t.internal} checked={internal !== ""} onValue={(on) => setInternal(on ? "1" : "")} />
      </div>
      <QueryView query={topics}>
        {() => (
          <DataTable
            label={t.title}
            rows={rows}
            columns={columns}
            rowId={(topic) => topic.name ?? ""}
            onRow={(topic) => navigate(`/messages/${part(topic.name ?? "")}`)}
            fill
            empty={
              filter ? (
                <Empty title={t.noTopic} />
              ) : (
                <Empty title={t.empty}>
                  <p>{t.emptyHint}</p>
                  <pre>weirflow-agent -c filebeat.yml</pre>
                </Empty>
              )
            }
          />
        )}
      </QueryView>
    </Page>
  );
}
