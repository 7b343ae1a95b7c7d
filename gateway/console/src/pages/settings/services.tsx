import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { Ago, whole } from "@/format";
import { useText } from "@/i18n";
import { type Account, Auditor, account, type Verdict } from "@/pages/flow/ledger";
import { Badge, type ColumnDef, DataTable, Drawer, Empty, QueryView } from "@/ui";
import { Frame } from "./frame";
import { text } from "./text";

type Status = Schema<"ServiceStatus">;

/** Services is what runs, which part of it is not ready and why, and whether the ledger adds up. */
export function Services() {
  const t = useText(text);
  const [chosen, setChosen] = useState("");
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/v1/status", { signal }),
    refetchInterval: 5000,
  });
  const services = status.data?.services ?? [];
  const away = services.filter((s) => !s.ready).length;
  const open = services.find((s) => idOf(s) === chosen);
  const columns = useServiceColumns();
  return (
    <Frame
      view="services"
      beside={
        status.data && (
          <span role="status">
            {away > 0 ? (
              <Badge tone="bad">{t.notReady(away)}</Badge>
            ) : (
              services.length > 0 && <span className="soft">{t.allReady}</span>
            )}
          </span>
        )
      }
    >
      <QueryView query={status}>
        {() => (
          <DataTable
            label={t.services}
            rows={services}
            columns={columns}
            rowId={idOf}
            chosen={chosen || undefined}
            onRow={(s) => setChosen(idOf(s))}
            empty={<Empty title={t.noServices} />}
          />
        )}
      </QueryView>
      <Ledger />
      {open && (
        <Drawer title={`${open.service} · ${open.instance}`} onClose={() => setChosen("")}>
          <Details of={open} />
        </Drawer>
      )}
    </Frame>
  );
}

const idOf = (s: Status) => `${s.service}/${s.instance}`;

/** whyNot is what is not ready of a service, in a line. */
function whyNot(s: Status): string {
  return (s.parts ?? [])
    .filter((part) => !part.ready)
    .map((part) => `${part.name}: ${part.reason}`)
    .join("; ");
}

function useServiceColumns(): ColumnDef<Status>[] {
  const t = useText(text);
  return useMemo<ColumnDef<Status>[]>(
    () => [
      {
        accessorKey: "service",
        header: t.service,
        meta: { width: 140 },
        cell: ({ row }) => <span className="strong">{row.original.service}</span>,
      },
      {
        accessorKey: "ready",
        header: t.state,
        cell: ({ row: { original: s } }) =>
          s.ready ? (
            <span className="soft">{t.ready}</span>
          ) : (
            <span className="row wrap">
              <Badge tone="bad">{t.away}</Badge>
              <span className="break">{whyNot(s)}</span>
            </span>
          ),
      },
      { accessorKey: "version", header: t.version, meta: { className: "wide-only" } },
      { accessorKey: "instance", header: t.instance, meta: { className: "wide-only" } },
      {
        accessorKey: "startedAt",
        header: t.since,
        meta: { width: 160 },
        cell: ({ row }) => <Ago at={date(row.original.startedAt)} />,
      },
      {
        accessorKey: "adminAddress",
        header: t.admin_,
        meta: { className: "wide-only" },
        cell: ({ row }) => row.original.adminAddress || <span className="quiet">–</span>,
      },
    ],
    [t],
  );
}

function Details({ of }: { of: Status }) {
  const t = useText(text);
  return (
    <div className="column wide-gap">
      <dl className="facts">
        <dt>{t.version}</dt>
        <dd>{of.version}</dd>
        <dt>{t.instance}</dt>
        <dd>{of.instance}</dd>
        <dt>{t.since}</dt>
        <dd>
          <Ago at={date(of.startedAt)} />
        </dd>
        <dt>{t.admin_}</dt>
        <dd className="mono">{of.adminAddress || "–"}</dd>
      </dl>
      <section className="section">
        <h2>{t.parts}</h2>
        <dl className="facts">
          {of.parts?.map((part) => (
            <PartLine key={part.name} name={part.name ?? ""} ready={part.ready ?? false} reason={part.reason ?? ""} />
          ))}
        </dl>
      </section>
    </div>
  );
}

function PartLine({ name, ready, reason }: { name: string; ready: boolean; reason: string }) {
  const t = useText(text);
  return (
    <>
      <dt>{name}</dt>
      <dd>{ready ? <span className="soft">{t.ready}</span> : <span className="bad pre">{reason || t.away}</span>}</dd>
    </>
  );
}

/** Ledger says in a line whether what came in went out again, and which stage does not add up. */
function Ledger() {
  const t = useText(text);
  const auditor = useMemo(() => new Auditor(), []);
  const ledger = useQuery({
    queryKey: ["ledger", "verdicts"],
    queryFn: async ({ signal }) => {
      const accounts = ((await api.get("/api/v1/ledger", { signal })).stages ?? []).map(account);
      return { accounts, verdicts: auditor.look(accounts) };
    },
    refetchInterval: 2000,
  });
  return (
    <section className="section">
      <h2>{t.ledger}</h2>
      <p className="quiet small">{t.ledgerHint}</p>
      <QueryView query={ledger} lines={2}>
        {({ accounts, verdicts }) => <Sum accounts={accounts} verdicts={verdicts} />}
      </QueryView>
      <p>
        <Link href="/flow">{t.toFlow}</Link>
      </p>
    </section>
  );
}

function Sum({ accounts, verdicts }: { accounts: Account[]; verdicts: Map<string, Verdict> }) {
  const t = useText(text);
  const wrong = accounts.filter((a) => verdicts.get(a.key) === "unbalanced");
  if (wrong.length > 0) {
    return (
      <>
        <p className="bad strong">{t.unbalanced(wrong.length)}</p>
        <ul className="column">
          {wrong.map((a) => (
            <li key={a.key} className="row wrap">
              <span>{a.service}</span>
              <span className="strong break">{a.name}</span>
              <span className="bad num">
                {a.difference > 0 ? t.missing(whole(a.difference)) : t.surplus(whole(-a.difference))}
              </span>
            </li>
          ))}
        </ul>
      </>
    );
  }
  const settled = accounts.every((a) => verdicts.get(a.key) === "balanced");
  return <p className="soft">{settled ? t.balanced(accounts.length) : t.settling}</p>;
}
