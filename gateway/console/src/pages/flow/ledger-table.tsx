import { useMemo } from "react";
import { Link } from "wouter";
import { part } from "@/app/url";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { type ColumnDef, DataTable, Icon } from "@/ui";
import type { Account, Verdict } from "./ledger";
import { text } from "./text";

/** stagePlace is the page of what a stage counts for. */
function stagePlace(a: Account): string {
  switch (a.service) {
    case "agent":
      return "/sources";
    case "ingest":
      return `/messages/${part(a.name)}`;
    case "transform":
      return `/jobs/${part(a.name)}`;
    case "indexer":
      return `/jobs/${part(a.name.split("/")[0] ?? a.name)}`;
    default:
      return "/alerts";
  }
}

type Figure = "in" | "out" | "filtered" | "deadLettered" | "inFlight";

/** Ledger is the account of every stage, with a mark where it does not balance. */
export function Ledger({ accounts, verdicts }: { accounts: Account[]; verdicts: Map<string, Verdict> }) {
  const t = useText(text);
  const columns = useMemo<ColumnDef<Account>[]>(() => {
    const figure = (key: Figure): ColumnDef<Account> => ({
      accessorKey: key,
      header: t[key],
      meta: { align: "right" },
      cell: ({ row }) => {
        const value = row.original[key];
        const lost = key === "deadLettered" && value > 0;
        return <span className={lost ? "num bad strong" : value === 0 ? "num quiet" : "num"}>{whole(value)}</span>;
      },
    });
    return [
      { accessorKey: "service", header: t.stage },
      {
        accessorKey: "name",
        header: t.name,
        cell: ({ row }) => (
          <Link href={stagePlace(row.original)} className="break">
            {row.original.name}
          </Link>
        ),
      },
      figure("in"),
      figure("out"),
      figure("filtered"),
      figure("deadLettered"),
      figure("inFlight"),
      {
        accessorKey: "difference",
        header: t.balance,
        meta: { width: 140 },
        cell: ({ row }) => <Balance account={row.original} verdict={verdicts.get(row.original.key) ?? "settling"} />,
      },
    ];
  }, [t, verdicts]);
  return <DataTable label={t.ledger} rows={accounts} columns={columns} rowId={(a) => a.key} />;
}

function Balance({ account, verdict }: { account: Account; verdict: Verdict }) {
  const t = useText(text);
  if (verdict === "balanced") {
    return (
      <span className="row quiet">
        <Icon name="check" size={14} /> {t.balanced}
      </span>
    );
  }
  if (verdict === "settling") return <span className="quiet">{t.settling}</span>;
  const n = whole(Math.abs(account.difference));
  return (
    <span className="row bad strong">
      <Icon name="warn" size={14} /> {account.difference > 0 ? t.missing(n) : t.surplus(n)}
    </span>
  );
}
