import { type ReactNode, useMemo } from "react";
import { useUrlState } from "@/app/url";
import { absolute, bytes, clock } from "@/format";
import { writeJson } from "@/format/json";
import { useText } from "@/i18n";
import { type ColumnDef, DataTable, IconButton, type JsonPath, pathText } from "@/ui";
import { MessageDrawer } from "./drawer";
import { at, jsonOf, type Message, PathList, show } from "./message";
import { text } from "./text";

/** MessageTable lists messages; a row opens the message beside. */
export function MessageTable({
  rows,
  chosen,
  onChoose,
  onFilter,
  empty,
}: {
  rows: Message[];
  chosen: Message | undefined;
  onChoose: (message: Message | undefined) => void;
  onFilter: (text: string) => void;
  empty: ReactNode;
}) {
  const t = useText(text);
  const [added, setAdded] = useUrlState("columns");
  const paths = useMemo(() => PathList.read(added), [added]);
  const columns = useMemo<ColumnDef<Message>[]>(
    () => [
      {
        id: "at",
        header: t.when,
        enableSorting: false,
        meta: { width: 118 },
        cell: ({ row: { original: m } }) => (
          <time className="num" title={m.at && absolute(m.at)}>
            {m.at ? clock(m.at) : "–"}
          </time>
        ),
      },
      {
        id: "partition",
        header: t.partition,
        enableSorting: false,
        meta: { align: "right", width: 80, className: "wide-only-cell" },
        cell: ({ row }) => <span className="num soft">{row.original.partition}</span>,
      },
      {
        id: "offset",
        header: "Offset",
        enableSorting: false,
        meta: { align: "right", width: 100, className: "wide-only-cell" },
        cell: ({ row }) => <span className="num soft">{row.original.offset}</span>,
      },
      ...paths.map((path) =>
        pathColumn(path, t.removeColumn(pathText(path)), () => {
          setAdded(PathList.write(paths.filter((one) => one !== path)));
        }),
      ),
      {
        id: "value",
        header: t.value,
        enableSorting: false,
        meta: { className: "mono messages-value" },
        cell: ({ row }) => <Preview message={row.original} tombstone={t.tombstone} />,
      },
      {
        id: "size",
        header: t.size,
        enableSorting: false,
        meta: { align: "right", width: 90, className: "wide-only-cell" },
        cell: ({ row }) => <span className="num soft">{bytes(row.original.size)}</span>,
      },
    ],
    [t, paths, setAdded],
  );
  const index = chosen ? rows.findIndex((row) => row.id === chosen.id) : -1;
  const addColumn = (path: JsonPath) => {
    if (!paths.some((one) => pathText(one) === pathText(path))) setAdded(PathList.write([...paths, path]));
  };
  return (
    <>
      <DataTable
        label={t.title}
        rows={rows}
        columns={columns}
        rowId={(m) => m.id}
        onRow={onChoose}
        chosen={chosen?.id}
        empty={empty}
        fill
      />
      {chosen && (
        <MessageDrawer
          message={chosen}
          onClose={() => onChoose(undefined)}
          onStep={(by) => onChoose(rows[index + by] ?? chosen)}
          onFilter={(value) => onFilter(filterText(value))}
          onColumn={addColumn}
        />
      )}
    </>
  );
}

/** filterText is how a value is written in a message: what to look for. */
function filterText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value).slice(1, -1) : writeJson(value);
}

function pathColumn(path: JsonPath, removeLabel: string, remove: () => void): ColumnDef<Message> {
  const name = pathText(path);
  return {
    id: `path ${name}`,
    header: () => (
      <span className="row">
        <span className="mono">{name}</span>
        <IconButton small icon="close" label={removeLabel} onClick={remove} />
      </span>
    ),
    enableSorting: false,
    cell: ({ row }) => {
      const value = show(at(jsonOf(row.original), path));
      return (
        <span className="mono messages-path clip" title={value}>
          {value}
        </span>
      );
    },
  };
}

const PREVIEW = 240;

/** Preview is the beginning of a value in a line: of an event its message, which tells most, goes first. */
function Preview({ message, tombstone }: { message: Message; tombstone: string }) {
  const value = message.text ?? message.binary;
  if (value === undefined) return <span className="quiet">{tombstone}</span>;
  const line = at(jsonOf(message), ["message"]);
  return (
    <span className="clip message-row">
      {message.key && <span className="messages-key">{message.key}</span>}
      {typeof line === "string" && line !== "" ? (
        <>
          {line.slice(0, PREVIEW)} <span className="quiet">{value.slice(0, PREVIEW)}</span>
        </>
      ) : (
        value.slice(0, PREVIEW)
      )}
    </span>
  );
}
