import { useInfiniteQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useUrlState } from "@/app/url";
import { Ago, absolute } from "@/format";
import { useText } from "@/i18n";
import { resolve, useTimeRange } from "@/time/range";
import {
  Badge,
  Button,
  type ColumnDef,
  DataTable,
  DelayedInput,
  Drawer,
  Empty,
  NotAllowed,
  QueryView,
  TimeControls,
} from "@/ui";
import { text } from "./audit-text";
import { Frame } from "./frame";

type Entry = Schema<"AuditEntry">;

const NEEDED = "admin";
const PAGE = 200;
const WEEK = { from: "now-7d", to: "now" };

/** Audit is who changed what: for administrators. */
export function Audit() {
  const { may } = useSession();
  return may("admin") ? (
    <Entries />
  ) : (
    <Frame view="audit">
      <NotAllowed role={NEEDED} />
    </Frame>
  );
}

/** callName is a call in short: JobService/StopJob of weirflow.job.v1.JobService/StopJob. */
export function callName(method: string): string {
  return method.replace(/^\/?weirflow\.[a-z]+\.v\d+\./, "");
}

function Entries() {
  const t = useText(text);
  const time = useTimeRange(WEEK, 10);
  const [filter, setFilter] = useUrlState("q");
  const [chosen, setChosen] = useState<Entry>();
  const entries = useInfiniteQuery({
    queryKey: ["audit", filter, time.range.from, time.range.to],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const now = new Date();
      return api.get("/api/v1/audit", {
        query: {
          text: filter,
          since: resolve(time.range.from, now)?.toISOString(),
          until: time.live ? undefined : resolve(time.range.to, now)?.toISOString(),
          pageSize: PAGE,
          pageToken: pageParam || undefined,
        },
        signal,
      });
    },
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: time.refreshMs,
  });
  const rows = useMemo(
    () =>
      (entries.data?.pages ?? []).flatMap((page) => page.entries ?? []).map((entry, i) => ({ entry, id: String(i) })),
    [entries.data],
  );
  const columns = useColumns();
  return (
    <Frame view="audit" actions={<TimeControls time={time} />} fill>
      <search className="toolbar">
        <DelayedInput
          type="search"
          label={t.filter}
          placeholder={t.filter}
          value={filter}
          onValue={setFilter}
          className="settings-filter"
        />
      </search>
      <QueryView query={entries}>
        {() => (
          <DataTable
            fill
            label={t.title}
            rows={rows}
            columns={columns}
            rowId={(row) => row.id}
            onRow={(row) => setChosen(row.entry)}
            empty={
              <Empty title={filter ? t.noMatch : t.empty}>
                <p>{t.emptyHint}</p>
              </Empty>
            }
            below={
              entries.hasNextPage && (
                <p className="row settings-more">
                  <Button disabled={entries.isFetchingNextPage} onClick={() => entries.fetchNextPage()}>
                    {entries.isFetchingNextPage ? t.loading : t.older}
                  </Button>
                </p>
              )
            }
          />
        )}
      </QueryView>
      {chosen && <EntryDrawer entry={chosen} onClose={() => setChosen(undefined)} />}
    </Frame>
  );
}

interface Row {
  entry: Entry;
  id: string;
}

function Outcome({ entry }: { entry: Entry }) {
  const t = useText(text);
  return entry.code === "OK" ? (
    <span className="soft">{t.done}</span>
  ) : (
    <Badge tone="bad" {...(entry.message ? { title: entry.message } : {})}>
      {entry.code}
    </Badge>
  );
}

function useColumns(): ColumnDef<Row>[] {
  const t = useText(text);
  return useMemo<ColumnDef<Row>[]>(
    () => [
      {
        id: "at",
        accessorFn: (row) => row.entry.at,
        header: t.at,
        meta: { width: 120 },
        cell: ({ row }) => <Ago at={date(row.original.entry.at)} />,
      },
      {
        id: "user",
        accessorFn: (row) => row.entry.user,
        header: t.user,
        cell: ({ row: { original } }) =>
          original.entry.user ? (
            <span className="strong break">{original.entry.user}</span>
          ) : (
            <span className="quiet">{original.entry.token || t.nobody}</span>
          ),
      },
      {
        id: "method",
        accessorFn: (row) => callName(row.entry.method ?? ""),
        header: t.method,
        cell: ({ row: { original }, getValue }) => (
          <span className="break" title={original.entry.method}>
            {getValue<string>()}
          </span>
        ),
      },
      { id: "target", accessorFn: (row) => row.entry.target, header: t.target, meta: { className: "break" } },
      {
        id: "address",
        accessorFn: (row) => row.entry.address,
        header: t.address,
        meta: { className: "wide-only num" },
      },
      {
        id: "outcome",
        accessorFn: (row) => row.entry.code,
        header: t.outcome,
        meta: { className: "wide-only" },
        cell: ({ row }) => <Outcome entry={row.original.entry} />,
      },
    ],
    [t],
  );
}

function EntryDrawer({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const t = useText(text);
  const at = date(entry.at);
  return (
    <Drawer title={callName(entry.method ?? "")} onClose={onClose}>
      <dl className="facts">
        <dt>{t.at}</dt>
        <dd className="num">{at ? absolute(at) : "–"}</dd>
        <dt>{t.user}</dt>
        <dd>
          {entry.user || <span className="quiet">{t.nobody}</span>}
          {entry.token && (
            <span className="soft">
              {" "}
              {t.token} <code>{entry.token}</code>
            </span>
          )}
        </dd>
        <dt>{t.method}</dt>
        <dd className="mono">{entry.method}</dd>
        <dt>{t.target}</dt>
        <dd>{entry.target || "–"}</dd>
        <dt>{t.address}</dt>
        <dd className="num">{entry.address || "–"}</dd>
        <dt>{t.outcome}</dt>
        <dd>
          <Outcome entry={entry} />
        </dd>
        {entry.message && (
          <>
            <dt>{t.message}</dt>
            <dd className="pre">{entry.message}</dd>
          </>
        )}
      </dl>
    </Drawer>
  );
}
