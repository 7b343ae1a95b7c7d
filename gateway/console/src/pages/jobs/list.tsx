import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useLocation } from "wouter";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part } from "@/app/url";
import { Ago, Lag, rate, whole } from "@/format";
import { useText } from "@/i18n";
import { type ColumnDef, DataTable, Empty, Icon, Page, QueryView, Sparkline } from "@/ui";
import { useRates } from "./rates";
import { type Job, JobStateBadge, lagOf } from "./state";
import { text } from "./text";

async function listJobs(signal: AbortSignal): Promise<Job[]> {
  const all: Job[] = [];
  let pageToken: string | undefined;
  do {
    const page = await api.get("/api/v1/jobs", { query: { pageSize: 500, pageToken }, signal });
    all.push(...(page.jobs ?? []));
    pageToken = page.nextPageToken || undefined;
  } while (pageToken && all.length < 20_000);
  return all;
}

export function JobList() {
  const t = useText(text);
  const session = useSession();
  const [, navigate] = useLocation();
  const jobs = useQuery({
    queryKey: ["jobs", "all"],
    queryFn: ({ signal }) => listJobs(signal),
    refetchInterval: 2000,
  });
  const counters = useMemo(
    () => new Map((jobs.data ?? []).map((job) => [job.name ?? "", num(job.status?.ledger?.in)])),
    [jobs.data],
  );
  const rates = useRates(counters, jobs.dataUpdatedAt);
  const columns = useMemo<ColumnDef<Job>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.name,
        cell: ({ row }) => <span className="strong break">{row.original.name}</span>,
      },
      {
        id: "state",
        accessorFn: (job) => job.status?.state,
        header: t.state,
        cell: ({ row }) => <JobStateBadge job={row.original} />,
      },
      {
        id: "rate",
        accessorFn: (job) => rates.now(job.name ?? "") ?? -1,
        header: t.rate,
        meta: { width: 170, className: "wide-only-cell" },
        cell: ({ row }) => {
          const name = row.original.name ?? "";
          const speed = rates.now(name);
          return (
            <span className="row">
              <span className="num jobs-rate">{speed === undefined ? "–" : rate(speed)}</span>
              <Sparkline values={rates.past(name)} />
            </span>
          );
        },
      },
      {
        id: "lag",
        accessorFn: (job) => lagOf(job).records ?? -1,
        header: t.lag,
        cell: ({ row }) => <Lag {...lagOf(row.original)} />,
      },
      {
        id: "restarts",
        accessorFn: (job) => job.status?.restarts ?? 0,
        header: t.restarts,
        meta: { align: "right", className: "wide-only-cell" },
        cell: ({ getValue }) => <Count value={getValue<number>()} tone="late" />,
      },
      {
        id: "dead",
        accessorFn: (job) => num(job.status?.ledger?.deadLettered),
        header: t.deadLetters,
        meta: { align: "right" },
        cell: ({ getValue }) => <Count value={getValue<number>()} tone="bad" />,
      },
      {
        id: "checkpoint",
        accessorFn: (job) => job.status?.lastCheckpointAt,
        header: t.checkpoint,
        meta: { className: "wide-only-cell" },
        cell: ({ row }) => <Ago at={date(row.original.status?.lastCheckpointAt)} />,
      },
    ],
    [t, rates],
  );
  const may = session.may("operator");
  return (
    <Page
      title={t.title}
      place="jobs"
      actions={
        <Link href="/jobs/new" className="button primary" title={may ? undefined : t.needsOperator}>
          <Icon name="plus" />
          {t.newJob}
        </Link>
      }
      fill
    >
      <QueryView query={jobs}>
        {(rows) => (
          <DataTable
            label={t.title}
            rows={rows}
            columns={columns}
            rowId={(job) => job.name ?? ""}
            onRow={(job) => navigate(`/jobs/${part(job.name ?? "")}`)}
            fill
            empty={
              <Empty
                title={t.empty}
                action={
                  <span className="row">
                    <Link className="button primary" href="/messages">
                      {t.fromMessages}
                    </Link>
                    <Link className="button" href="/jobs/new">
                      {t.writeOne}
                    </Link>
                  </span>
                }
              >
                <p>{t.emptyHint}</p>
              </Empty>
            }
          />
        )}
      </QueryView>
    </Page>
  );
}

export function Count({ value, tone }: { value: number; tone: "bad" | "late" }) {
  return <span className={value > 0 ? `num strong ${tone}` : "num quiet"}>{whole(value)}</span>;
}
