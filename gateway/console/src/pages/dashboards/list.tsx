import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part } from "@/app/url";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, type ColumnDef, DataTable, Empty, Page, QueryView } from "@/ui";
import { FromSearch } from "./from-search";
import { dashboardOf } from "./model";
import { NameDialog } from "./save";
import { text } from "./text";

type Row = Schema<"Dashboard">;

/** DashboardList lists all dashboards, those that come with Weirflow first. */
export function DashboardList() {
  const t = useText(text);
  const session = useSession();
  const [, navigate] = useLocation();
  const [making, setMaking] = useState(false);
  // Search leads here with what it shows.
  const [params] = useSearchParams();
  const from = params.get("from");
  const [asked, setAsked] = useState(params.get("panel") === "new");
  const all = useQuery({
    queryKey: ["dashboards"],
    queryFn: ({ signal }) => api.get("/api/v1/dashboards", { signal }),
  });
  const columns: ColumnDef<Row>[] = [
    {
      id: "title",
      header: t.name,
      accessorFn: (d) => d.title ?? "",
      cell: ({ row: { original: d } }) => (
        <span className="row">
          <Link href={`/dashboards/${part(d.name ?? "")}`} className="strong">
            {d.title}
          </Link>
          {d.shipped && <Badge>{t.shipped}</Badge>}
        </span>
      ),
    },
    {
      id: "description",
      header: t.description,
      enableSorting: false,
      meta: { className: "wide-only-cell" },
      cell: ({ row }) => <span className="soft">{row.original.description}</span>,
    },
    {
      id: "changed",
      header: t.changed,
      accessorFn: (d) => d.updatedAt ?? "",
      meta: { width: 220, className: "wide-only-cell" },
      cell: ({ row: { original: d } }) =>
        d.shipped ? (
          <span className="quiet">–</span>
        ) : (
          <span className="row">
            <Ago at={date(d.updatedAt)} />
            {d.updatedBy && <span className="quiet clip">{t.by(d.updatedBy)}</span>}
          </span>
        ),
    },
  ];
  const may = session.may("operator");
  const make = (
    <Button
      look="primary"
      icon="plus"
      disabled={!may}
      title={may ? undefined : t.needsOperator}
      onClick={() => setMaking(true)}
    >
      {t.newOne}
    </Button>
  );
  return (
    <Page title={t.title} actions={make}>
      <QueryView query={all}>
        {(data) => (
          <DataTable
            label={t.title}
            rows={data.dashboards ?? []}
            columns={columns}
            rowId={(d) => d.name ?? ""}
            onRow={(d) => navigate(`/dashboards/${part(d.name ?? "")}`)}
            empty={<Empty title={t.none} action={make} />}
          />
        )}
      </QueryView>
      {asked && may && all.data && (
        <FromSearch
          index={params.get("index") ?? ""}
          query={params.get("query") ?? ""}
          range={from?.startsWith("now-") ? from : "now-1h"}
          dashboards={(all.data.dashboards ?? []).filter((d) => !d.shipped).map(dashboardOf)}
          onClose={() => {
            setAsked(false);
            navigate("/dashboards", { replace: true });
          }}
        />
      )}
      {making && (
        <NameDialog
          title={t.newOne}
          action={t.create}
          start={{ ...dashboardOf({}), range: "now-1h" }}
          onClose={() => setMaking(false)}
          onDone={(kept) => navigate(`/dashboards/${part(kept.name)}?edit=1`)}
        />
      )}
    </Page>
  );
}
