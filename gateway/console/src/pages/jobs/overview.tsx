import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date, millis, num } from "@/api/numbers";
import { href, part } from "@/app/url";
import { Ago, absolute, bytes, duration, Lag, whole } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Badge, type ColumnDef, DataTable, Empty, Notice } from "@/ui";
import { PlanGraph } from "./graph";
import { readPlan } from "./plan";
import { type Job, stateBytes } from "./state";
import { text } from "./text";

/** Overview shows how a job runs: plan with live rows, sources, state, the last error. */
export function Overview({ job, at }: { job: Job; at: number }) {
  const t = useText(text);
  const error = job.status?.error;
  const plan = useQuery({
    queryKey: ["plan", job.name, job.sql, job.parameters],
    queryFn: ({ signal }) =>
      api.post("/api/v1/jobs:validate", {
        body: { sql: job.sql, parameters: job.parameters, job: job.name },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const nodes = useMemo(() => readPlan(plan.data?.planJson), [plan.data]);
  return (
    <div className="jobs-overview">
      {error && (
        <Notice tone="bad">
          <strong>{t.failedWith}</strong>
          <p className="pre">{error}</p>
        </Notice>
      )}
      <section className="section">
        <h2>{t.plan}</h2>
        {nodes.length > 0 ? (
          <PlanGraph nodes={nodes} operators={job.status?.operators ?? []} at={at} />
        ) : (
          !plan.isPending && <Empty inline title={t.planNone} />
        )}
      </section>
      <section className="section">
        <h2>{t.sources}</h2>
        <Sources sources={job.status?.sources ?? []} />
      </section>
      <Outputs outputs={job.status?.outputs ?? []} />
      <section className="section">
        <h2>{t.facts}</h2>
        <Facts job={job} />
      </section>
    </div>
  );
}

/** Outputs lead to what the job writes. */
function Outputs({ outputs }: { outputs: Schema<"Output">[] }) {
  const t = useText(text);
  if (outputs.length === 0) return null;
  return (
    <section className="section">
      <h2>{t.writesTo}</h2>
      <div className="column">
        {outputs.map((one) => (
          <div key={one.table} className="row">
            <Target of={one} />
            <span className="soft">
              {t.rowsWritten(whole(num(one.records)))} · {one.connector}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}

function Target({ of }: { of: Schema<"Output"> }) {
  const t = useText(text);
  const { connector = "", target = "", table = "" } = of;
  if (target && connector.startsWith("elasticsearch"))
    return <Link href={href("/search", { index: target })}>{t.searchIndex(target)}</Link>;
  if (target && connector.endsWith("kafka"))
    return <Link href={`/messages/${part(target)}`}>{t.readTopic(target)}</Link>;
  if (connector === "alert") return <Link href="/alerts">{t.seeAlerts}</Link>;
  return <span>{target || table}</span>;
}

type Source = Schema<"SourcePosition">;

function Sources({ sources }: { sources: Source[] }) {
  const t = useText(text);
  const columns = useMemo<ColumnDef<Source>[]>(() => {
    const figure = (key: "offset" | "committed" | "end", header: string): ColumnDef<Source> => ({
      id: key,
      accessorFn: (s) => num(s[key]),
      header,
      meta: { align: "right" },
      cell: ({ getValue }) => <span className="num">{whole(getValue<number>())}</span>,
    });
    return [
      { accessorKey: "table", header: t.table },
      {
        accessorKey: "topic",
        header: t.topic,
        cell: ({ row }) => <Link href={`/messages/${part(row.original.topic ?? "")}`}>{row.original.topic}</Link>,
      },
      { accessorKey: "partition", header: t.partition, meta: { align: "right" } },
      figure("offset", t.offset),
      figure("committed", t.committed),
      figure("end", t.endOffset),
      {
        id: "lag",
        accessorFn: (s) => num(s.lag),
        header: t.lag,
        cell: ({ row }) => <Lag records={num(row.original.lag)} millis={num(row.original.lagMillis)} />,
      },
      {
        id: "watermark",
        accessorFn: (s) => num(s.watermark),
        header: t.watermark,
        cell: ({ row: { original: s } }) => (
          <span className="row wrap">
            <Ago at={millis(s.watermark)} />
            {s.holdsBack && <Badge tone="late">{t.holdsBack}</Badge>}
            {s.idle && <Badge>{t.idle}</Badge>}
          </span>
        ),
      },
    ];
  }, [t]);
  return (
    <DataTable
      label={t.sources}
      rows={sources}
      columns={columns}
      rowId={(s) => `${s.table}/${s.topic}/${s.partition}`}
    />
  );
}

function Facts({ job }: { job: Job }) {
  const t = useText(text);
  const { language } = useI18n();
  const { status } = job;
  const checkpoint = status?.checkpoint;
  const failures = num(checkpoint?.failures);
  const taken = date(status?.lastCheckpointAt ?? checkpoint?.at);
  const updated = date(job.updatedAt);
  const facts: [string, React.ReactNode][] = [
    [t.stateSize, bytes(stateBytes(job))],
    [t.stateTotal, bytes(num(checkpoint?.totalBytes))],
    [t.checkpoint, taken ? <Ago key="c" at={taken} /> : t.noCheckpoint],
    [t.duration, duration(num(checkpoint?.durationMillis), language)],
    [t.pause, `${whole(num(checkpoint?.pauseMicros))} µs`],
    [t.written, bytes(num(checkpoint?.bytes))],
    [t.restarts, whole(status?.restarts ?? 0)],
    [t.started, <Ago key="s" at={date(status?.startedAt)} />],
    [t.updated, updated ? absolute(updated, false) : "–"],
    [t.instance, status?.instance || "–"],
  ];
  return (
    <>
      <dl className="jobs-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
      {failures > 0 && (
        <Notice tone={checkpoint?.failure ? "bad" : "late"}>
          {t.failures}: {whole(failures)}
          {checkpoint?.failure && <p className="pre">{checkpoint.failure}</p>}
        </Notice>
      )}
    </>
  );
}
