import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { Ago, bytes } from "@/format";
import { useText } from "@/i18n";
import { Button, type ColumnDef, Confirm, DataTable, Empty, IconButton, Input, QueryView } from "@/ui";
import { NAME, savepointName, useJobChange } from "./actions";
import { isActive, type Job } from "./state";
import { text } from "./text";

type Savepoint = Schema<"Savepoint">;

/** Savepoints are the kept copies of a job's state. */
export function Savepoints({ job }: { job: Job }) {
  const t = useText(text);
  const name = job.name ?? "";
  const may = useSession().may("operator");
  const change = useJobChange();
  const [typed, setTyped] = useState(savepointName);
  const [asking, setAsking] = useState<{ what: "delete" | "start"; savepoint: Savepoint }>();
  const savepoints = useQuery({
    queryKey: ["job", name, "savepoints"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs/{job}/savepoints", { path: { job: name }, signal }),
  });
  const active = isActive(job);
  const columns = useMemo<ColumnDef<Savepoint>[]>(
    () => [
      { accessorKey: "name", header: t.name, cell: ({ row }) => <span className="strong">{row.original.name}</span> },
      { accessorKey: "at", header: t.when, cell: ({ row }) => <Ago at={date(row.original.at)} /> },
      {
        id: "size",
        accessorFn: (s) => num(s.bytes),
        header: t.size,
        meta: { align: "right" },
        cell: ({ getValue }) => <span className="num">{bytes(getValue<number>())}</span>,
      },
      {
        id: "actions",
        header: "",
        enableSorting: false,
        meta: { align: "right" },
        cell: ({ row }) => (
          <span className="row savepoints-actions">
            <Button
              small
              icon="play"
              disabled={!may || active}
              onClick={() => setAsking({ what: "start", savepoint: row.original })}
            >
              {t.startHere}
            </Button>
            <IconButton
              small
              icon="trash"
              label={`${t.deleteAct} ${row.original.name}`}
              disabled={!may}
              onClick={() => setAsking({ what: "delete", savepoint: row.original })}
            />
          </span>
        ),
      },
    ],
    [t, may, active],
  );
  const keep = () =>
    change.mutate(
      {
        run: () => api.post("/api/v1/jobs/{job}/savepoints", { path: { job: name }, body: { name: typed } }),
        done: t.savepointToast(typed),
      },
      { onSuccess: () => setTyped(savepointName()) },
    );
  const chosen = asking?.savepoint.name ?? "";
  const close = () => setAsking(undefined);
  return (
    <div className="column wide-gap">
      <div className="toolbar">
        <Input label={t.savepointName} title={t.nameRule} value={typed} onChange={(e) => setTyped(e.target.value)} />
        <Button
          disabled={!may || !NAME.test(typed) || change.isPending}
          title={may ? undefined : t.needsOperator}
          onClick={keep}
        >
          {t.createSavepoint}
        </Button>
      </div>
      <QueryView query={savepoints}>
        {(data) => (
          <DataTable
            label={t.savepoints}
            rows={data.savepoints ?? []}
            columns={columns}
            rowId={(s) => s.name ?? ""}
            empty={
              <Empty title={t.noSavepoints}>
                <p>{t.noSavepointsHint}</p>
              </Empty>
            }
          />
        )}
      </QueryView>
      {asking?.what === "delete" && (
        <Confirm
          title={t.deleteSavepointTitle(chosen)}
          action={t.deleteAct}
          typed={chosen}
          onClose={close}
          onConfirm={() => {
            close();
            change.mutate({
              run: () => api.delete("/api/v1/jobs/{job}/savepoints/{name}", { path: { job: name, name: chosen } }),
              done: t.deletedToast(chosen),
            });
          }}
        >
          <p>{t.deleteSavepointLoses(bytes(num(asking.savepoint.bytes)))}</p>
        </Confirm>
      )}
      {asking?.what === "start" && (
        <Confirm
          title={t.startHereTitle(chosen)}
          action={t.start}
          onClose={close}
          onConfirm={() => {
            close();
            change.mutate({
              run: () => api.post("/api/v1/jobs/{name}:start", { path: { name }, body: { savepoint: chosen } }),
              done: t.startedToast(name),
            });
          }}
        >
          <p>{t.startHereHint}</p>
        </Confirm>
      )}
    </div>
  );
}
