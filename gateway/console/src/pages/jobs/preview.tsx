import type { Schema } from "@weirflow/sdk";
import { useEffect, useMemo, useRef, useState } from "react";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { previewScript, type Range } from "@/sql/statements";
import { Button, type ColumnDef, DataTable, Notice, Select } from "@/ui";
import { record } from "./check";
import { text } from "./text";
import type { Draft } from "./workbench";

interface Row {
  id: number;
  op: string;
  values: (string | null)[];
}

type Column = Schema<"PreviewColumn">;
type End = Schema<"PreviewEnd">;

export interface Preview {
  rows: Row[];
  columns: Column[];
  end: End | undefined;
  error: unknown;
  /** noQuery: there was nothing to run. */
  noQuery: boolean;
  running: boolean;
  asked: boolean;
  start: string;
  limit: string;
  setStart: (start: string) => void;
  setLimit: (limit: string) => void;
  run: (selected?: Range) => void;
  stop: () => void;
}

const SECONDS = 120;

/** usePreview runs a SELECT on live data and gathers its rows. */
export function usePreview(draft: Draft, job: string | undefined): Preview {
  const [rows, setRows] = useState<Row[]>([]);
  const [columns, setColumns] = useState<Column[]>([]);
  const [end, setEnd] = useState<End>();
  const [error, setError] = useState<unknown>();
  const [state, setState] = useState<"new" | "running" | "over">("new");
  const [noQuery, setNoQuery] = useState(false);
  const [start, setStart] = useState("PREVIEW_START_LATEST");
  const [limit, setLimit] = useState("100");
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const stop = () => {
    abort.current?.abort();
    setState("over");
  };
  const run = (selected?: Range) => {
    abort.current?.abort();
    const sql = previewScript(draft.sql, selected);
    setRows([]);
    setColumns([]);
    setEnd(undefined);
    setError(undefined);
    setNoQuery(sql === undefined);
    if (sql === undefined) return;
    const controller = new AbortController();
    abort.current = controller;
    setState("running");
    // Rows are shown ten times a second at most: thousands come at once from the beginning of a topic.
    let fresh: Row[] = [];
    let count = 0;
    const show = () => {
      if (fresh.length === 0 || controller.signal.aborted) return;
      const some = fresh;
      fresh = [];
      setRows((old) => [...old, ...some]);
    };
    const timer = setInterval(show, 100);
    api
      .streamPost(
        "/api/v1/jobs:preview",
        {
          body: {
            sql,
            parameters: record(draft),
            job,
            start: start as Schema<"PreviewStart">,
            maxRows: Number(limit),
            maxSeconds: SECONDS,
            maxBytes: String(16 << 20),
          },
          signal: controller.signal,
        },
        (message) => {
          if (controller.signal.aborted) return;
          if (message.columns) setColumns(message.columns.columns ?? []);
          if (message.row) {
            fresh.push({
              id: count++,
              op: message.row.op ?? "",
              values: (message.row.values ?? []) as (string | null)[],
            });
          }
          if (message.end) setEnd(message.end);
        },
      )
      .catch((e) => !controller.signal.aborted && setError(e))
      .finally(() => {
        clearInterval(timer);
        show();
        if (!controller.signal.aborted) setState("over");
      });
  };
  return {
    rows,
    columns,
    end,
    error,
    noQuery,
    running: state === "running",
    asked: state !== "new",
    start,
    limit,
    setStart,
    setLimit,
    run,
    stop,
  };
}

/** PreviewPanel shows the rows of a preview as they come. */
export function PreviewPanel({ preview, onRun }: { preview: Preview; onRun: () => void }) {
  const t = useText(text);
  const { rows, columns, end, error, running } = preview;
  const defs = useMemo<ColumnDef<Row>[]>(
    () => [
      {
        accessorKey: "op",
        header: t.change,
        meta: { width: 80 },
        cell: ({ getValue }) => <span className="mono quiet">{getValue<string>()}</span>,
      },
      ...columns.map<ColumnDef<Row>>((column, i) => ({
        id: `${i}`,
        header: () => (
          <span title={column.type}>
            {column.name} <span className="quiet">{column.type?.toLowerCase().slice(0, 24)}</span>
          </span>
        ),
        enableSorting: false,
        cell: ({ row }) => <Cell value={row.original.values[i] ?? null} />,
      })),
    ],
    [columns, t],
  );
  return (
    <div className="column bench-preview">
      <div className="toolbar">
        {running ? (
          <Button icon="stop" onClick={preview.stop}>
            {t.stopPreview}
          </Button>
        ) : (
          <Button icon="play" onClick={onRun}>
            {t.run}
          </Button>
        )}
        <Select
          label={t.from}
          value={preview.start}
          options={[
            { value: "PREVIEW_START_LATEST", name: t.latest },
            { value: "PREVIEW_START_EARLIEST", name: t.earliest },
          ]}
          onValue={preview.setStart}
        />
        <Select
          label={t.rows}
          value={preview.limit}
          options={["20", "100", "1000", "10000"].map((n) => ({ value: n, name: t.previewRows(n) }))}
          onValue={preview.setLimit}
        />
        <span className="quiet num" role="status">
          {rows.length > 0 && t.previewRows(whole(rows.length))}
          {end && ` · ${t.records(whole(num(end.records)))} · ${endText(end, t)}`}
        </span>
      </div>
      {preview.noQuery && <Notice tone="late">{t.noQuery}</Notice>}
      {error !== undefined && (
        <Notice tone="bad">
          <p className="pre">{error instanceof Error ? error.message : String(error)}</p>
        </Notice>
      )}
      {columns.length > 0 ? (
        <DataTable
          label={t.preview}
          rows={rows}
          columns={defs}
          rowId={(row) => String(row.id)}
          fill
          empty={running ? <p className="state inline quiet">{t.previewWaiting}</p> : undefined}
        />
      ) : (
        !preview.noQuery &&
        error === undefined && <p className="quiet">{running ? t.previewWaiting : !preview.asked && t.previewEmpty}</p>
      )}
    </div>
  );
}

function Cell({ value }: { value: string | null }) {
  if (value === null) return <span className="mono quiet">NULL</span>;
  return (
    <span className="mono clip bench-cell" title={value}>
      {value}
    </span>
  );
}

function endText(end: End, t: typeof text.en): string {
  switch (end.reason) {
    case "PREVIEW_END_REASON_ROWS":
      return t.endRows;
    case "PREVIEW_END_REASON_TIME":
      return t.endTime;
    case "PREVIEW_END_REASON_BYTES":
      return t.endBytes;
    case "PREVIEW_END_REASON_INPUT":
      return t.endInput;
    default:
      return "";
  }
}
