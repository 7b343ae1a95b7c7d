import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part, useUrlState } from "@/app/url";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, type ColumnDef, DataTable, DelayedInput, Empty, Notice, QueryView } from "@/ui";
import { Frame } from "./frame";
import { text } from "./template-text";
import { TestDialog } from "./test-dialog";

export type Template = Schema<"Template">;
type Receiver = Schema<"Receiver">;

/** Templates are the texts of messages, and the receivers that they go to. */
export function Templates() {
  const t = useText(text);
  const { may } = useSession();
  const [, navigate] = useLocation();
  const [filter, setFilter] = useUrlState("q");
  const templates = useQuery({
    queryKey: ["templates"],
    queryFn: ({ signal }) => api.get("/api/v1/templates", { signal }),
    refetchInterval: 30_000,
  });
  const rows = useMemo(() => {
    const wanted = filter.toLowerCase();
    return (templates.data?.templates ?? []).filter((one) => `${one.id} ${one.text}`.toLowerCase().includes(wanted));
  }, [templates.data, filter]);
  const columns = useMemo<ColumnDef<Template>[]>(
    () => [
      {
        accessorKey: "id",
        header: t.id,
        cell: ({ row }) => <span className="strong break">{row.original.id}</span>,
      },
      {
        accessorKey: "shipped",
        header: t.origin,
        meta: { width: 176 },
        cell: ({ row }) => (row.original.shipped ? <span className="quiet">{t.shipped}</span> : <Badge>{t.own}</Badge>),
      },
      {
        id: "text",
        accessorFn: (one) => one.description || one.text,
        header: t.text,
        enableSorting: false,
        meta: { className: "wide-only alerts-clip", width: "50%" },
        cell: ({ getValue }) => <code title={getValue<string>()}>{getValue<string>()}</code>,
      },
      {
        accessorKey: "updatedAt",
        header: t.updated,
        meta: { width: 120, className: "wide-only" },
        cell: ({ row }) => <Ago at={date(row.original.updatedAt)} />,
      },
    ],
    [t],
  );
  return (
    <Frame
      view="templates"
      actions={
        <Button
          look="primary"
          icon="plus"
          disabled={!may("operator")}
          title={may("operator") ? undefined : t.needs}
          onClick={() => navigate("/alerts/templates/new")}
        >
          {t.create}
        </Button>
      }
    >
      <Receivers />
      <section className="section">
        <h2>{t.title}</h2>
        <p className="quiet small">{t.hint}</p>
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
        <QueryView query={templates}>
          {() => (
            <DataTable
              label={t.title}
              rows={rows}
              columns={columns}
              rowId={(one) => one.id ?? ""}
              onRow={(one) => navigate(`/alerts/templates/${part(one.id ?? "")}`)}
              empty={<Empty inline title={t.noMatch} />}
            />
          )}
        </QueryView>
      </section>
    </Frame>
  );
}

function Receivers() {
  const t = useText(text);
  const { may } = useSession();
  const [testing, setTesting] = useState<Receiver>();
  const receivers = useQuery({
    queryKey: ["receivers"],
    queryFn: ({ signal }) => api.get("/api/v1/receivers", { signal }),
    refetchInterval: 30_000,
  });
  const columns = useMemo<ColumnDef<Receiver>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.receiver,
        cell: ({ row }) => <span className="strong">{row.original.name}</span>,
      },
      {
        id: "channels",
        header: t.channels,
        enableSorting: false,
        cell: ({ row }) => row.original.channels?.join(", ") || <span className="quiet">–</span>,
      },
      {
        accessorKey: "used",
        header: t.used,
        meta: { className: "wide-only" },
        cell: ({ row }) => (row.original.used ? t.yes : <span className="late">{t.unused}</span>),
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { align: "right" },
        cell: ({ row }) => (
          <Button small disabled={!may("operator")} onClick={() => setTesting(row.original)}>
            {t.test}
          </Button>
        ),
      },
    ],
    [t, may],
  );
  return (
    <section className="section">
      <h2>{t.receivers}</h2>
      <p className="quiet small">{t.receiversHint}</p>
      <QueryView query={receivers} lines={2}>
        {(answer) => (
          <>
            {answer.receivers?.every((r) => !r.channels?.length) && answer.receivers.length > 0 && (
              <Notice>
                <p>{t.nobodyTold}</p>
                <pre>{t.noReceiversHint}</pre>
              </Notice>
            )}
            <DataTable
              label={t.receivers}
              rows={answer.receivers ?? []}
              columns={columns}
              rowId={(r) => r.name ?? ""}
              empty={
                <Empty inline title={t.noReceivers}>
                  <pre>{t.noReceiversHint}</pre>
                </Empty>
              }
            />
          </>
        )}
      </QueryView>
      {testing && <TestDialog receiver={testing} onClose={() => setTesting(undefined)} />}
    </section>
  );
}
