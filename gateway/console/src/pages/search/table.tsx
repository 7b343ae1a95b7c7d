import { memo, type ReactNode, useMemo } from "react";
import { absolute, clock } from "@/format";
import { useText } from "@/i18n";
import type { Hit } from "@/search/store";
import { type ColumnDef, DataTable, IconButton } from "@/ui";
import { flat, lineField, show, timeOf, valueAt } from "./document";
import { MARK_START, piecesOf, plain } from "./marks";
import { idOf } from "./request";
import { text } from "./text";

/** DocumentTable lists documents; a row opens the document beside. */
export function DocumentTable({
  rows,
  timeField,
  columns,
  onColumns,
  chosen,
  onChoose,
  empty,
  below,
}: {
  rows: Hit[];
  timeField: string;
  columns: readonly string[];
  onColumns: (columns: string[]) => void;
  chosen: string;
  onChoose: (hit: Hit) => void;
  empty: ReactNode;
  below?: ReactNode;
}) {
  const t = useText(text);
  const defs = useMemo<ColumnDef<Hit>[]>(() => {
    const made: ColumnDef<Hit>[] = columns.map((name) => ({
      id: `field ${name}`,
      enableSorting: false,
      meta: columns.length === 1 ? { className: "mono search-line" } : {},
      header: () => (
        <span className="row">
          <span className="mono">{name}</span>
          <IconButton
            small
            icon="close"
            label={t.removeColumn(name)}
            onClick={() => onColumns(columns.filter((one) => one !== name))}
          />
        </span>
      ),
      cell: ({ row }) => <Cell hit={row.original} name={name} only={columns.length === 1} />,
    }));
    if (made.length === 0) {
      made.push({
        id: "document",
        header: () => <span>{t.document}</span>,
        enableSorting: false,
        meta: { className: "mono search-line" },
        cell: ({ row }) => <Summary hit={row.original} timeField={timeField} />,
      });
    }
    if (timeField) {
      made.unshift({
        id: "time",
        header: t.time,
        enableSorting: false,
        meta: { className: "search-time" },
        cell: ({ row }) => {
          const at = timeOf(row.original, timeField);
          return (
            <time className="num soft" title={at && absolute(at)}>
              <span className="wide-only">{at ? absolute(at) : "–"}</span>
              <span className="narrow-only">{at ? clock(at) : "–"}</span>
            </time>
          );
        },
      });
    }
    return made;
  }, [columns, onColumns, timeField, t]);
  return (
    <DataTable
      label={t.title}
      rows={rows}
      columns={defs}
      rowId={idOf}
      onRow={onChoose}
      chosen={chosen}
      empty={empty}
      below={below}
      fill
    />
  );
}

const CUT = 500;

function Cell({ hit, name, only }: { hit: Hit; name: string; only: boolean }) {
  const marked = hit.highlight?.[name]?.[0] ?? hit.highlight?.[`${name}.keyword`]?.[0];
  const value = marked ?? show(valueAt(hit._source, name));
  return (
    <span className={only ? "clip search-doc" : "clip mono search-cell"} title={plain(value).slice(0, 2000)}>
      <Marked text={value} />
    </span>
  );
}

/** Marked is a text whose matches stand out. */
export function Marked({ text, most = CUT }: { text: string; most?: number }) {
  if (!text.includes(MARK_START)) return text.length > most ? text.slice(0, most) : text;
  let left = most;
  return piecesOf(text).map((piece, i) => {
    if (left <= 0) return null;
    const part = piece.text.slice(0, left);
    left -= part.length;
    return piece.marked ? <mark key={i}>{part}</mark> : <span key={i}>{part}</span>;
  });
}

/** ROOM is how many letters of a document are of use in a line: no screen is wider. */
const ROOM = 400;

/** Summary is the beginning of a document in a line: what tells most goes first. */
const Summary = memo(function Summary({ hit, timeField }: { hit: Hit; timeField: string }) {
  const source = hit._source ?? {};
  const line = lineField(source);
  const marked = (name: string, value: unknown) => hit.highlight?.[name]?.[0] ?? show(value);
  const first = line ? marked(line, valueAt(source, line)) : "";
  let room = ROOM - first.length;
  const rest: [string, string][] = [];
  for (const [name, value] of flat(source)) {
    if (room <= 0) break;
    if (name === line || name === timeField) continue;
    const text = marked(name, value);
    rest.push([name, text]);
    room -= name.length + Math.min(120, text.length);
  }
  return (
    <span className="clip search-doc">
      <Marked text={first} />{" "}
      {rest.map(([name, text]) => (
        <span key={name} className="search-pair">
          <span className="search-key">{name}</span> <Marked text={text} most={120} />
        </span>
      ))}
    </span>
  );
});
