import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useUrlState } from "@/app/url";
import { Ago, absolute, duration } from "@/format";
import { useI18n, useText } from "@/i18n";
import { resolve, useTimeRange } from "@/time/range";
import {
  Badge,
  Button,
  Check,
  type ColumnDef,
  DataTable,
  DelayedInput,
  Drawer,
  Empty,
  QueryView,
  TimeControls,
} from "@/ui";
import { alertPath, type Delivery } from "./alert";
import { text } from "./delivery-text";
import { secondsOf } from "./duration";
import { Frame } from "./frame";
import { Labels } from "./parts";

const PAGE = 100;
const WEEK = { from: "now-7d", to: "now" };

/** Deliveries is who was told what, when, and what failed. */
export function Deliveries() {
  const t = useText(text);
  const time = useTimeRange(WEEK, 10);
  const [filter, setFilter] = useUrlState("q");
  const [failed, setFailed] = useUrlState("failed");
  const deliveries = useInfiniteQuery({
    queryKey: ["deliveries", filter, failed, time.range.from],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/deliveries", {
        query: {
          text: filter,
          ...(failed ? { failed: true } : {}),
          since: resolve(time.range.from, new Date())?.toISOString(),
          pageSize: PAGE,
          pageToken: pageParam || undefined,
        },
        signal,
      }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: time.refreshMs,
  });
  const rows = useMemo(() => {
    const until = time.live ? undefined : resolve(time.range.to, new Date());
    const all = (deliveries.data?.pages ?? []).flatMap((page) => page.deliveries ?? []);
    return until ? all.filter((d) => (date(d.at) ?? until) <= until) : all;
  }, [deliveries.data, time.live, time.range.to]);
  return (
    <Frame view="deliveries" actions={<TimeControls time={time} />} fill>
      <search className="toolbar">
        <DelayedInput
          type="search"
          label={t.filter}
          placeholder={t.filter}
          value={filter}
          onValue={setFilter}
          className="alerts-filter"
        />
        <Check label={t.failedOnly} checked={failed !== ""} onValue={(on) => setFailed(on ? "1" : "")} />
      </search>
      <QueryView query={deliveries}>
        {() => (
          <DeliveryTable
            fill
            deliveries={rows}
            empty={
              <Empty title={failed ? t.noFailed : filter ? t.noMatch : t.empty}>
                {!failed && !filter && <p>{t.emptyHint}</p>}
              </Empty>
            }
            below={
              deliveries.hasNextPage && (
                <p className="row alerts-more">
                  <Button disabled={deliveries.isFetchingNextPage} onClick={() => deliveries.fetchNextPage()}>
                    {deliveries.isFetchingNextPage ? t.loading : t.older}
                  </Button>
                </p>
              )
            }
          />
        )}
      </QueryView>
    </Frame>
  );
}

const idOf = (d: Delivery) => `${d.at} ${d.receiver} ${d.channel} ${d.group}`;

export function DeliveryTable({
  deliveries,
  fill,
  empty,
  below,
}: {
  deliveries: Delivery[];
  fill?: boolean;
  empty?: React.ReactNode;
  below?: React.ReactNode;
}) {
  const t = useText(text);
  const { language } = useI18n();
  const [chosen, setChosen] = useState<Delivery>();
  const columns = useMemo<ColumnDef<Delivery>[]>(
    () => [
      { accessorKey: "at", header: t.at, meta: { width: 110 }, cell: ({ row }) => <Ago at={date(row.original.at)} /> },
      {
        id: "receiver",
        accessorFn: (d) => `${d.receiver} ${d.channel}`,
        header: t.receiver,
        cell: ({ row }) => (
          <span className="break">
            {row.original.receiver} <span className="quiet">{row.original.channel}</span>
          </span>
        ),
      },
      {
        id: "alerts",
        header: t.alerts,
        enableSorting: false,
        meta: { className: "wide-only alerts-clip", width: "50%" },
        cell: ({ row }) => {
          const first = row.original.alerts?.[0];
          const rest = (row.original.alerts?.length ?? 0) - 1;
          return (
            <span title={row.original.alerts?.map((a) => a.summary || a.labels?.alertname).join("\n")}>
              {first?.resolved && <Badge>{t.over}</Badge>} {first?.summary || first?.labels?.alertname}
              {rest > 0 && <span className="quiet"> {t.more(rest)}</span>}
            </span>
          );
        },
      },
      {
        id: "outcome",
        accessorFn: (d) => d.error ?? "",
        header: t.outcome,
        cell: ({ row }) => <Outcome of={row.original} />,
      },
      {
        id: "took",
        accessorFn: (d) => secondsOf(d.took) ?? 0,
        header: t.took,
        meta: { align: "right", className: "wide-only" },
        cell: ({ getValue }) => <span className="num">{duration(getValue<number>() * 1000, language)}</span>,
      },
    ],
    [t, language],
  );
  return (
    <>
      <DataTable
        label={t.title}
        rows={deliveries}
        columns={columns}
        rowId={idOf}
        chosen={chosen ? idOf(chosen) : undefined}
        onRow={setChosen}
        fill={fill ?? false}
        empty={empty}
        below={below}
      />
      {chosen && <DeliveryDrawer of={chosen} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function Outcome({ of }: { of: Delivery }) {
  const t = useText(text);
  const numbers = of.recipients ?? [];
  const arrived = numbers.filter((r) => r.state === "RECIPIENT_STATE_DELIVERED").length;
  const lost = numbers.some((r) => r.state === "RECIPIENT_STATE_UNDELIVERED");
  return (
    <span className="row wrap">
      {of.error ? (
        <Badge tone={of.again ? "late" : "bad"} title={of.error}>
          {of.again ? t.again : t.failed}
        </Badge>
      ) : numbers.length > 0 ? (
        <Badge {...(lost ? { tone: "bad" } : {})}>{t.numbersDelivered(arrived, numbers.length)}</Badge>
      ) : (
        <span>{t.delivered}</span>
      )}
      {of.test && <Badge>{t.test}</Badge>}
    </span>
  );
}

function DeliveryDrawer({ of, onClose }: { of: Delivery; onClose: () => void }) {
  const t = useText(text);
  const { language } = useI18n();
  const at = date(of.at);
  return (
    <Drawer title={`${of.receiver} · ${of.channel}`} onClose={onClose}>
      <div className="column wide-gap">
        <p>
          <Outcome of={of} />
        </p>
        {of.error && <p className="pre bad">{of.error}</p>}
        <dl className="facts">
          <dt>{t.at}</dt>
          <dd className="num">{at ? absolute(at) : "–"}</dd>
          <dt>{t.took}</dt>
          <dd className="num">{duration((secondsOf(of.took) ?? 0) * 1000, language)}</dd>
          <dt>{t.group}</dt>
          <dd className="mono">{of.group}</dd>
        </dl>
        {(of.recipients?.length ?? 0) > 0 && (
          <section className="section">
            <h2>{t.numbers}</h2>
            <ul className="column">
              {of.recipients?.map((r) => (
                <li key={`${r.number} ${r.id}`} className="row wrap">
                  <span className="num">{r.number}</span>
                  <span className="quiet">{r.provider}</span>
                  <Badge {...(r.state === "RECIPIENT_STATE_UNDELIVERED" ? { tone: "bad" } : {})}>
                    {t[r.state ?? "RECIPIENT_STATE_UNSPECIFIED"]}
                  </Badge>
                  {r.detail && <code>{r.detail}</code>}
                  <Ago at={date(r.updatedAt)} />
                </li>
              ))}
            </ul>
          </section>
        )}
        <section className="section">
          <h2>{t.alerts}</h2>
          {of.alerts?.map((a) => (
            <div key={a.fingerprint} className="column">
              <p className="row wrap">
                {a.resolved && <Badge>{t.over}</Badge>}
                <Link href={alertPath(a.fingerprint ?? "")}>{a.summary || a.labels?.alertname}</Link>
              </p>
              <Labels of={a.labels} all />
            </div>
          ))}
        </section>
      </div>
    </Drawer>
  );
}
