import {
  type ColumnDef,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  type Row,
  type SortingState,
  useReactTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useCallback, useRef, useState } from "react";

export type { ColumnDef } from "@tanstack/react-table";

declare module "@tanstack/react-table" {
  interface ColumnMeta<TData, TValue> {
    /** align: numbers stand right. */
    align?: "right";
    width?: number | string;
    className?: string;
  }
}

interface DataTableProps<T> {
  rows: T[];
  // biome-ignore lint/suspicious/noExplicitAny: columns have values of different types.
  columns: ColumnDef<T, any>[];
  /** label names the table for a screen reader. */
  label: string;
  rowId: (row: T) => string;
  onRow?: (row: T) => void;
  chosen?: string | undefined;
  sort?: SortingState;
  /** fill takes the height that is left, and scrolls in it. */
  fill?: boolean;
  empty?: ReactNode;
  /** below stands under the last row: for “more”. */
  below?: ReactNode;
}

const ROW = 33;

/**
 * DataTable is a table that sorts by its heads and stays fast with tens of thousands of
 * rows: only what is in sight is in the document. Enter or a click opens a row.
 */
export function DataTable<T>(props: DataTableProps<T>) {
  const { rows, columns, label, rowId, onRow, chosen, fill, empty, below } = props;
  const [sorting, setSorting] = useState<SortingState>(props.sort ?? []);
  const box = useRef<HTMLDivElement>(null);
  const table = useReactTable({
    data: rows,
    columns,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  const model = table.getRowModel().rows;
  const virtual = model.length > 100;
  const virtualizer = useVirtualizer({
    count: virtual ? model.length : 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const items = virtualizer.getVirtualItems();
  const shown = virtual ? items.flatMap((item) => model[item.index] ?? []) : model;
  const before = virtual ? (items[0]?.start ?? 0) : 0;
  const after = virtual ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;
  const width = columns.length;
  // The same function each time, so that rows need not be drawn anew for it.
  const choose = useRef(onRow);
  choose.current = onRow;
  const open = useCallback((row: T) => choose.current?.(row), []);

  return (
    <div
      ref={box}
      className={fill || virtual ? "table-box fill" : "table-box"}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table className="table" aria-rowcount={model.length + 1}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const { meta } = header.column.columnDef;
                const direction = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    scope="col"
                    className={[meta?.align, meta?.className].filter(Boolean).join(" ")}
                    style={meta?.width === undefined ? undefined : { width: meta.width }}
                    aria-sort={direction ? (direction === "asc" ? "ascending" : "descending") : undefined}
                  >
                    {header.column.getCanSort() ? (
                      <button type="button" onClick={header.column.getToggleSortingHandler()}>
                        {flexRender(header.column.columnDef.header, header.getContext())}
                        {direction && (direction === "asc" ? " ↑" : " ↓")}
                      </button>
                    ) : (
                      flexRender(header.column.columnDef.header, header.getContext())
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden="true">
              <td colSpan={width} style={{ height: before, padding: 0, border: 0 }} />
            </tr>
          )}
          {shown.map((row) => (
            <BodyRow key={row.id} row={row} columns={columns} onRow={onRow && open} chosen={row.id === chosen} />
          ))}
          {after > 0 && (
            <tr aria-hidden="true">
              <td colSpan={width} style={{ height: after, padding: 0, border: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
      {model.length === 0 && empty}
      {below}
    </div>
  );
}

interface BodyRowProps<T> {
  row: Row<T>;
  /** columns are not used but to draw the row anew when they change. */
  columns: unknown;
  onRow: ((row: T) => void) | undefined;
  chosen: boolean;
}

/** BodyRow is drawn once, however often the table scrolls past it. */
const BodyRow = memo(function BodyRow<T>({ row, onRow, chosen }: BodyRowProps<T>) {
  return (
    <tr
      className={[onRow && "clickable", chosen && "chosen"].filter(Boolean).join(" ")}
      tabIndex={onRow ? 0 : undefined}
      aria-current={chosen ? "true" : undefined}
      onClick={onRow && ((e) => !insideControl(e.target, e.currentTarget) && onRow(row.original))}
      onKeyDown={
        onRow &&
        ((e) => {
          if (e.key === "Enter" && e.target === e.currentTarget) onRow(row.original);
          else step(e.key, e.currentTarget);
        })
      }
    >
      {row.getVisibleCells().map((cell) => {
        const { meta } = cell.column.columnDef;
        return (
          <td key={cell.id} className={[meta?.align, meta?.className].filter(Boolean).join(" ")}>
            {flexRender(cell.column.columnDef.cell, cell.getContext())}
          </td>
        );
      })}
    </tr>
  );
}) as <T>(props: BodyRowProps<T>) => ReactNode;

/** insideControl tells a click on a link or button within a row from one on the row. */
function insideControl(target: EventTarget, row: Element): boolean {
  const control = target instanceof Element ? target.closest("a, button, input, select, label") : null;
  return control !== null && row.contains(control);
}

/** step moves the focus to the row above or below. */
function step(key: string, row: Element) {
  const next = key === "ArrowDown" ? row.nextElementSibling : key === "ArrowUp" ? row.previousElementSibling : null;
  if (next instanceof HTMLElement && next.tabIndex >= 0) next.focus();
}
