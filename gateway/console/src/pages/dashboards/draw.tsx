import { lazy, type ReactNode, type RefObject, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { href } from "@/app/url";
import { absolute, clock, duration } from "@/format";
import { useI18n, useText } from "@/i18n";
import { lineField, show, timeOf, valueAt } from "@/pages/search/document";
import { type ColumnDef, DataTable, Notice, Sparkline, TimeChart } from "@/ui";
import { chartOf, lastOf, type Row, rowsOf } from "./answers";
import type { Panel } from "./model";
import { sharesOf } from "./shares";
import { text } from "./text";
import { formatOf, isTime } from "./units";
import type { Figures } from "./use-panel";

const Markdown = lazy(() => import("./markdown"));

interface DrawProps {
  panel: Panel;
  figures: Figures;
  /** height is what there is for the drawing, in pixels. */
  height: number;
  title: string;
  onZoom?: (from: Date, to: Date) => void;
}

/** TextPanel is a panel's Markdown. */
export function TextPanel({ value }: { value: string }) {
  return (
    <Suspense fallback={null}>
      <Markdown text={value} />
    </Suspense>
  );
}

/** Draw draws a panel's figures as its kind says. */
export function Draw(props: DrawProps): ReactNode {
  const { panel, figures } = props;
  const t = useText(text);
  if (panel.kind === "logs") return <Logs {...props} />;
  if (figures.lines.every((line) => line.values.every((value) => value === null))) {
    return <p className="quiet dash-none">{t.noData}</p>;
  }
  switch (panel.kind) {
    case "stat":
      return <Stats {...props} />;
    case "table":
      return <Rows {...props} />;
    case "pie":
      return <Pie {...props} />;
    case "bar":
      return figures.lines.every((line) => line.times.length <= 1) ? <Bars {...props} /> : <Over {...props} />;
    default:
      return <Over {...props} />;
  }
}

const LEGEND = 26;
const CAPTION = 16;

/** Over draws lines, areas or bars over time. */
function Over({ panel, figures, height, title, onZoom }: DrawProps) {
  const t = useText(text);
  const { language } = useI18n();
  const chart = useMemo(() => chartOf(figures.lines), [figures.lines]);
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  // The legend takes one line where it fits, or two: all of it is in the closer look.
  const letters = figures.lines.reduce((sum, line) => sum + line.name.length + 12, 10);
  const rows = letters * 6.5 > width ? 2 : 1;
  // Lines upon one another are areas.
  const type = panel.kind === "line" && panel.stacked ? "area" : panel.kind;
  const wide = figures.width === undefined ? undefined : duration(figures.width, language);
  return (
    <div className="dash-over" ref={box}>
      {wide && <p className="dash-width small quiet num">{type === "bar" ? t.oneBar(wide) : t.onePoint(wide)}</p>}
      <TimeChart
        label={title}
        type={type === "area" || type === "bar" ? type : "line"}
        stacked={panel.stacked}
        fit={isTime(panel.unit)}
        height={Math.max(60, height - LEGEND * rows - (wide ? CAPTION : 0))}
        times={chart.times}
        series={chart.series}
        range={figures.span}
        format={formatOf(panel.unit, language)}
        {...(onZoom ? { onZoom } : {})}
      />
    </div>
  );
}

function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

/** Stats are the last values, large, with their past. */
function Stats({ panel, figures }: DrawProps) {
  const { language } = useI18n();
  const format = formatOf(panel.unit, language);
  return (
    <ul className={figures.lines.length === 1 ? "dash-stats one" : "dash-stats"}>
      {figures.lines.map((line, i) => {
        const value = lastOf(line);
        const past = line.values.filter((one): one is number => one !== null);
        return (
          <li key={`${line.name} ${i}`}>
            <span className="dash-number num">{value === null ? "–" : format(value)}</span>
            {figures.lines.length > 1 && (
              <span className="small quiet clip" title={line.name}>
                {line.name}
              </span>
            )}
            {past.length > 1 && <Sparkline values={past.slice(-60)} width={96} height={24} />}
          </li>
        );
      })}
    </ul>
  );
}

/** Rows are the last values as a table: a column for each label, and one for each query. */
function Rows({ panel, figures, title }: DrawProps) {
  const t = useText(text);
  const { language } = useI18n();
  const format = formatOf(panel.unit, language);
  const table = useMemo(() => rowsOf(figures.lines, panel.queries.length), [figures.lines, panel.queries.length]);
  const columns: ColumnDef<Row>[] = [
    ...table.columns.map(
      (name): ColumnDef<Row> => ({
        id: name,
        header: name,
        accessorFn: (row) => row.labels[name] ?? "",
        cell: ({ row }) => (
          <span className="clip dash-cell" title={row.original.labels[name]}>
            {row.original.labels[name]}
          </span>
        ),
      }),
    ),
    ...panel.queries.map(
      (query, i): ColumnDef<Row> => ({
        id: `value ${i}`,
        header: panel.queries.length === 1 ? t.value : query.legend || String.fromCharCode(65 + i),
        accessorFn: (row) => row.values[i] ?? Number.NEGATIVE_INFINITY,
        meta: { align: "right" },
        cell: ({ row }) => {
          const value = row.original.values[i];
          return <span className="num">{value === null || value === undefined ? "–" : format(value)}</span>;
        },
      }),
    ),
  ];
  return (
    <>
      <DataTable label={title} rows={table.rows} columns={columns} rowId={(row) => JSON.stringify(row.labels)} fill />
      {table.common.length > 0 && (
        <p className="small quiet break dash-common">
          {t.everywhere}: {table.common.map(([name, value]) => `${name} ${value}`).join(" · ")}
        </p>
      )}
    </>
  );
}

const SLICES = 8;

function Pie({ panel, figures, height, title }: DrawProps) {
  const t = useText(text);
  const { language } = useI18n();
  const format = formatOf(panel.unit, language);
  const shares = sharesOf(figures.lines, SLICES, t.others);
  const total = shares.reduce((sum, share) => sum + share.value, 0);
  if (total === 0) return <p className="quiet dash-none">{t.noData}</p>;
  const size = Math.max(64, Math.min(height - 8, 260));
  let before = 0;
  return (
    <div className="dash-pie">
      <svg width={size} height={size} viewBox="-50 -50 100 100" role="img" aria-label={title}>
        {shares.map((share, i) => {
          const from = before / total;
          before += share.value;
          return <path key={share.name} d={slice(from, before / total)} fill={`var(--series-${i + 1})`} />;
        })}
      </svg>
      <ul className="dash-shares">
        {shares.map((share, i) => (
          <li key={share.name}>
            <span className="dash-swatch" style={{ background: `var(--series-${i + 1})` }} />
            <span className="clip grow" title={share.name}>
              {share.name}
            </span>
            <span className="num">{format(share.value)}</span>
            <span className="num quiet dash-percent">{((100 * share.value) / total).toFixed(1)} %</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** slice is a ring's part between two shares of the whole. */
function slice(from: number, to: number): string {
  const [outer, inner] = [49, 28];
  const point = (share: number, radius: number) => {
    const angle = 2 * Math.PI * share - Math.PI / 2;
    return `${(radius * Math.cos(angle)).toFixed(3)} ${(radius * Math.sin(angle)).toFixed(3)}`;
  };
  // An arc that ends where it begins is none.
  const end = Math.min(to, from + 0.99999);
  const large = end - from > 0.5 ? 1 : 0;
  return `M${point(from, outer)}A${outer} ${outer} 0 ${large} 1 ${point(end, outer)}L${point(end, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}Z`;
}

/** Bars are one value each, as long as it is large. */
function Bars({ panel, figures, title }: DrawProps) {
  const { language } = useI18n();
  const format = formatOf(panel.unit, language);
  const bars = figures.lines.map((line) => ({ name: line.name, value: lastOf(line) ?? 0 }));
  const top = Math.max(...bars.map((bar) => Math.abs(bar.value)), 1e-9);
  return (
    <ul className="dash-bars" aria-label={title} tabIndex={0}>
      {bars.map((bar, i) => (
        <li key={`${bar.name} ${i}`}>
          <span className="clip" title={bar.name}>
            {bar.name}
          </span>
          <span className="dash-track">
            <span style={{ width: `${(100 * Math.abs(bar.value)) / top}%` }} />
          </span>
          <span className="num">{format(bar.value)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Logs are the lines of documents, the newest first; one leads to its document. */
function Logs({ panel, figures, title }: DrawProps) {
  const t = useText(text);
  if (figures.hits.length === 0) return <p className="quiet dash-none">{t.noData}</p>;
  const query = panel.queries[0];
  const timeField = (query?.source === "search" && query.timeField) || "@timestamp";
  return (
    <ol className="dash-logs" aria-label={title} tabIndex={0}>
      {figures.hits.map((hit) => {
        const at = timeOf(hit, timeField);
        const source = hit._source ?? {};
        const field = lineField(source);
        const line = show(field ? valueAt(source, field) : source);
        return (
          <li key={`${hit._index}/${hit._id}`}>
            <Link
              href={href("/search", { index: hit._index, doc: `${hit._index}/${hit._id}`, ...around(at) })}
              title={line}
            >
              <time className="num quiet" title={at && absolute(at)}>
                {at ? clock(at) : "–"}
              </time>{" "}
              <span>{line}</span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}

/** around is the time about a moment, so that the document is among those listed. */
function around(at: Date | undefined): Record<string, string> {
  if (!at) return {};
  const near = (ms: number) => new Date(at.getTime() + ms).toISOString();
  return { from: near(-300_000), to: near(300_000) };
}

/** Warnings say what the reader of a panel should know. */
export function Warnings({ figures }: { figures: Figures }) {
  const t = useText(text);
  const { missing } = figures;
  const all = [
    ...figures.warnings,
    ...(missing ? [t.noField(missing.index, missing.field, missing.dates.join(", "))] : []),
    ...(figures.left > 0 ? [t.left(figures.left)] : []),
  ];
  if (all.length === 0) return null;
  return (
    <Notice tone="late">
      {[...new Set(all)].map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
    </Notice>
  );
}
