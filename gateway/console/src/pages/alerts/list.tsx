import { useDeferredValue, useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { date } from "@/api/numbers";
import { useUrlState } from "@/app/url";
import { Ago, whole } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, Check, type ColumnDef, DataTable, DelayedInput, Empty, Loading, QueryView, Select } from "@/ui";
import { type Alert, filterAlerts, groupAlerts, nameOf, rankOf, STATES, summaryOf, worst } from "./alert";
import { AlertDrawer } from "./alert-page";
import { Frame, useAlerts } from "./frame";
import { AlertStateBadge, Labels, Severity } from "./parts";
import { text } from "./text";

/** AlertList is what goes on now: the worst first. ?fingerprint=… opens one beside it. */
export function AlertList() {
  const t = useText(text);
  const alerts = useAlerts();
  const [filter, setFilter] = useUrlState("q");
  const [state, setState] = useUrlState("state");
  const [grouped, setGrouped] = useUrlState("group");
  const [fingerprint] = useUrlState("fingerprint");
  const [, setParams] = useSearchParams();
  const words = useDeferredValue(filter);
  const all = alerts.data;
  const shown = useMemo(() => filterAlerts(all ?? [], words, state).sort(worst), [all, words, state]);
  // The link of a message has the time beside the fingerprint: both go when the alert is closed.
  const choose = (chosen: string) =>
    setParams((old) => {
      const next = new URLSearchParams(old);
      for (const key of ["fingerprint", "from", "to"]) next.delete(key);
      if (chosen) next.set("fingerprint", chosen);
      return next;
    });
  const firing = (all ?? []).filter((a) => a.state === "ALERT_STATE_ACTIVE").length;
  const acknowledged = (all ?? []).filter((a) => a.state === "ALERT_STATE_ACKNOWLEDGED").length;
  return (
    <Frame
      view="active"
      fill
      beside={
        <span className="row wrap" role="status">
          {firing > 0 && <Badge tone="bad">{t.firing(firing)}</Badge>}
          {acknowledged > 0 && <Badge>{t.acknowledgedCount(acknowledged)}</Badge>}
        </span>
      }
    >
      <search className="toolbar">
        <DelayedInput
          type="search"
          label={t.filter}
          placeholder={t.filter}
          value={filter}
          onValue={setFilter}
          delayMs={120}
          className="alerts-filter"
        />
        <Select
          label={t.state}
          value={state}
          options={[{ value: "", name: t.anyState }, ...STATES.map((s) => ({ value: s, name: t[s] }))]}
          onValue={setState}
        />
        <Check label={t.group} checked={grouped !== ""} onValue={(on) => setGrouped(on ? "1" : "")} />
      </search>
      <QueryView query={alerts}>
        {(every) =>
          every.length === 0 ? (
            <Empty title={t.quiet} action={<Link href="/alerts/policies/new">{t.writePolicy}</Link>}>
              <p>{t.quietHint}</p>
            </Empty>
          ) : shown.length === 0 ? (
            <Empty
              title={t.noMatch}
              action={
                <Button
                  onClick={() => {
                    setFilter("");
                    setState("");
                  }}
                >
                  {t.clear}
                </Button>
              }
            >
              <p>{t.noMatchHint(whole(every.length))}</p>
            </Empty>
          ) : grouped ? (
            <div className="column wide-gap">
              {groupAlerts(shown).map((group) => (
                <section key={group.name} className="section alerts-group">
                  <h2>
                    {group.name} <span className="quiet num">{group.alerts.length}</span>
                  </h2>
                  <AlertTable label={group.name} alerts={group.alerts} chosen={fingerprint} onChoose={choose} />
                </section>
              ))}
            </div>
          ) : (
            <AlertTable label={t.title} alerts={shown} chosen={fingerprint} onChoose={choose} fill />
          )
        }
      </QueryView>
      {fingerprint &&
        (alerts.isPending ? (
          <Loading />
        ) : (
          <AlertDrawer key={fingerprint} fingerprint={fingerprint} onClose={() => choose("")} />
        ))}
    </Frame>
  );
}

function AlertTable({
  label,
  alerts,
  chosen,
  onChoose,
  fill,
}: {
  label: string;
  alerts: Alert[];
  chosen: string;
  onChoose: (fingerprint: string) => void;
  fill?: boolean;
}) {
  const t = useText(text);
  const columns = useMemo<ColumnDef<Alert>[]>(
    () => [
      {
        id: "severity",
        accessorFn: (a) => rankOf(a.labels?.severity ?? ""),
        header: t.severity,
        meta: { width: 96 },
        cell: ({ row }) => <Severity of={row.original.labels?.severity} />,
      },
      {
        id: "alert",
        accessorFn: nameOf,
        header: t.alert,
        meta: { className: "alerts-name", width: 200 },
        cell: ({ row }) => (
          <>
            <span className="strong break">{nameOf(row.original)}</span>
            <span className="narrow-only soft break">{summaryOf(row.original)}</span>
          </>
        ),
      },
      {
        id: "summary",
        accessorFn: summaryOf,
        header: t.summary,
        meta: { className: "wide-only alerts-clip", width: "45%" },
        cell: ({ getValue }) => <span title={getValue<string>()}>{getValue<string>()}</span>,
      },
      {
        id: "labels",
        header: t.labels,
        enableSorting: false,
        meta: { className: "wide-only alerts-clip alerts-labels", width: "30%" },
        cell: ({ row }) => <Labels of={row.original.labels} />,
      },
      {
        accessorKey: "state",
        header: t.state,
        meta: { width: 120, className: "wide-only" },
        cell: ({ row }) => <AlertStateBadge state={row.original.state} />,
      },
      {
        id: "owner",
        accessorFn: (a) => a.handling?.assignee || a.handling?.acknowledgedBy || "",
        header: t.owner,
        meta: { width: 140, className: "wide-only" },
        cell: ({ getValue }) => getValue<string>() || <span className="quiet">{t.nobody}</span>,
      },
      {
        accessorKey: "startsAt",
        header: t.since,
        meta: { width: 120, align: "right" },
        cell: ({ row }) => <Ago at={date(row.original.startsAt)} />,
      },
    ],
    [t],
  );
  return (
    <DataTable
      label={label}
      rows={alerts}
      columns={columns}
      rowId={(a) => a.fingerprint ?? ""}
      chosen={chosen || undefined}
      onRow={(a) => onChoose(a.fingerprint ?? "")}
      fill={fill ?? false}
    />
  );
}
