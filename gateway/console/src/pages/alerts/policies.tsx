import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useLocation } from "wouter";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part, useUrlState } from "@/app/url";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, type ColumnDef, DataTable, DelayedInput, Empty, Menu, QueryView, useToast } from "@/ui";
import { nameOf } from "./alert";
import { shownDuration } from "./duration";
import { Frame, useAlerts } from "./frame";
import { Severity } from "./parts";
import { COMPARISONS, kindOf, type Policy } from "./policy";
import { text } from "./policy-text";

/** conditionText is a policy's condition in a line. */
export function conditionText(p: Policy, t: typeof text.en): string {
  const by = (names: string[] | undefined) => (names?.length ? ` by ${names.join(", ")}` : "");
  if (p.threshold) {
    const c = p.threshold;
    const window = shownDuration(c.window) || "5m";
    const sign = COMPARISONS[c.comparison as keyof typeof COMPARISONS] ?? "?";
    return `${c.function || "last"}(${c.series}[${window}])${by(c.by)} ${sign} ${c.value ?? 0}`;
  }
  if (p.ratio) {
    const c = p.ratio;
    const sign = COMPARISONS[c.comparison as keyof typeof COMPARISONS] ?? "?";
    return `${c.part} / ${c.whole}${by(c.by)} ${sign} ${c.value ?? 0}`;
  }
  if (p.absence) return t.absent(p.absence.series ?? "", shownDuration(p.absence.window) || "5m");
  if (p.anomaly) return t.strange(p.anomaly.series ?? "", p.anomaly.deviations || 3);
  if (p.logPattern) {
    const l = p.logPattern;
    const pattern = l.regexp ? `/${l.regexp}/` : `“${l.contains ?? ""}”`;
    return t.lines(num(l.count) || 1, pattern, l.topic ?? "", shownDuration(l.within) || "5m");
  }
  return p.promql?.expr ?? "";
}

export function usePolicies() {
  return useQuery({
    queryKey: ["policies"],
    queryFn: ({ signal }) => api.get("/api/v1/policies", { signal }),
    refetchInterval: 10_000,
  });
}

/** put sends a policy without what the path and the server say. */
export function put(p: Policy) {
  const { name, updatedAt: _, ...rest } = p;
  // Null is what the API gives for what is not set, and takes for nothing.
  const body = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  return api.put("/api/v1/policies/{name}", { path: { name: name ?? "" }, body });
}

export function Policies() {
  const t = useText(text);
  const { may } = useSession();
  const [, navigate] = useLocation();
  const [filter, setFilter] = useUrlState("q");
  const policies = usePolicies();
  const columns = useColumns();
  const rows = useMemo(() => {
    const wanted = filter.toLowerCase();
    return (policies.data?.policies ?? []).filter((p) =>
      `${p.name} ${p.severity} ${conditionText(p, t)}`.toLowerCase().includes(wanted),
    );
  }, [policies.data, filter, t]);
  return (
    <Frame
      view="policies"
      fill
      actions={
        <Button
          look="primary"
          icon="plus"
          disabled={!may("operator")}
          title={may("operator") ? undefined : t.needs}
          onClick={() => navigate("/alerts/policies/new")}
        >
          {t.create}
        </Button>
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
      </search>
      <QueryView query={policies}>
        {() => (
          <DataTable
            fill
            label={t.title}
            rows={rows}
            columns={columns}
            rowId={(p) => p.name ?? ""}
            onRow={(p) => navigate(`/alerts/policies/${part(p.name ?? "")}`)}
            empty={
              filter ? (
                <Empty title={t.noMatch} />
              ) : (
                <Empty title={t.empty} action={<Link href="/alerts/policies/new">{t.first}</Link>}>
                  <p>{t.emptyHint}</p>
                </Empty>
              )
            }
          />
        )}
      </QueryView>
    </Frame>
  );
}

function useColumns(): ColumnDef<Policy>[] {
  const t = useText(text);
  const alerts = useAlerts();
  const firing = useMemo(() => {
    const counts = new Map<string, number>();
    for (const a of alerts.data ?? []) counts.set(nameOf(a), (counts.get(nameOf(a)) ?? 0) + 1);
    return counts;
  }, [alerts.data]);
  return useMemo<ColumnDef<Policy>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.name,
        meta: { width: 200 },
        cell: ({ row: { original: p } }) => (
          <>
            <span className={p.disabled ? "strong quiet break" : "strong break"}>{p.name}</span>
            <span className="narrow-only small soft mono break">{conditionText(p, t)}</span>
          </>
        ),
      },
      {
        accessorKey: "severity",
        header: t.severity,
        meta: { width: 96, className: "wide-only" },
        cell: ({ row }) => <Severity of={row.original.severity || "warning"} />,
      },
      {
        id: "condition",
        accessorFn: (p) => conditionText(p, t),
        header: t.condition,
        meta: { className: "wide-only alerts-clip", width: "50%" },
        cell: ({ row, getValue }) => (
          <span title={getValue<string>()}>
            <span className="quiet">{t[kindOf(row.original)]}</span> <code>{getValue<string>()}</code>
          </span>
        ),
      },
      {
        accessorKey: "for",
        header: t.for,
        meta: { width: 72, className: "wide-only" },
        cell: ({ row }) => <span className="num">{shownDuration(row.original.for) || "–"}</span>,
      },
      {
        id: "state",
        accessorFn: (p) => (p.disabled ? -1 : (firing.get(p.name ?? "") ?? 0)),
        header: t.state,
        meta: { width: 112 },
        cell: ({ getValue }) => {
          const n = getValue<number>();
          if (n < 0) return <Badge>{t.off}</Badge>;
          return n > 0 ? <Badge tone="bad">{t.firing(n)}</Badge> : <span className="soft">{t.quiet}</span>;
        },
      },
      {
        accessorKey: "updatedAt",
        header: t.updated,
        meta: { width: 120, className: "wide-only" },
        cell: ({ row }) => <Ago at={date(row.original.updatedAt)} />,
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { width: 48, align: "right" },
        cell: ({ row }) => <PolicyMenu of={row.original} />,
      },
    ],
    [t, firing],
  );
}

/** PolicyMenu turns a policy on and off and deletes it; both can be undone. */
export function PolicyMenu({ of, onDeleted }: { of: Policy; onDeleted?: () => void }) {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const name = of.name ?? "";
  const keys = [["policies"], ["policy", name], ["alerts"]];
  const keep = useChange(keys, put);
  const remove = useChange([["policies"], ["alerts"]], () => api.delete("/api/v1/policies/{name}", { path: { name } }));
  if (!may("operator")) return null;
  const turn = () =>
    keep.mutate(
      { ...of, disabled: !of.disabled },
      {
        onSuccess: () =>
          toast({ message: of.disabled ? t.enabled(name) : t.disabled(name), undo: () => keep.mutate(of) }),
      },
    );
  return (
    <Menu
      small
      icon="more"
      label={`${name}…`}
      items={[
        { id: "turn", name: of.disabled ? t.enable : t.disable, onChoose: turn },
        {
          id: "delete",
          name: t.delete,
          icon: "trash",
          danger: true,
          onChoose: () =>
            remove.mutate(undefined, {
              onSuccess: () => {
                toast({ message: t.deleted(name), undo: () => keep.mutate(of) });
                onDeleted?.();
              },
            }),
        },
      ]}
    />
  );
}
