import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useLocation } from "wouter";
import { href } from "@/app/url";
import { useI18n, useText } from "@/i18n";
import type { TimeRangeState } from "@/time/range";
import { Drawer, Failed, IconButton, Menu, type MenuItem, Notice } from "@/ui";
import { Draw, TextPanel, Warnings } from "./draw";
import { lackOf, type Panel } from "./model";
import { text } from "./text";
import { formatOf } from "./units";
import { type Figures, resolved, useFigures, useInSight } from "./use-panel";
import { filled, filledExpr, named, type Values } from "./variables";

/** ROW is how high a row of the grid is, with the gap below it. */
export const ROW = 32;
export const GAP = 8;
const HEAD = 32;
const PADDING = 12;

interface PanelProps {
  panel: Panel;
  values: Values;
  time: TimeRangeState;
  /** editing is what one may do to it while the dashboard is changed. */
  editing?: {
    onEdit: () => void;
    onDuplicate: () => void;
    onRemove: () => void;
    onKey: (e: KeyboardEvent) => void;
    onDrag: (e: PointerEvent, resize: boolean) => void;
  };
}

/** PanelView is a panel on the grid: its title, what one may do with it, and its drawing. */
export function PanelView({ panel, values, time, editing }: PanelProps) {
  const t = useText(text);
  const box = useRef<HTMLElement>(null);
  const inSight = useInSight(box);
  const [close, setClose] = useState(false);
  const title = filled(panel.title, named(values, t.all));
  const name = title || t.untitled;
  const bare = panel.kind === "text" && title === "" && !editing;
  const height = panel.height * ROW - GAP - (bare ? 0 : HEAD) - PADDING;
  return (
    <section ref={box} className={bare ? "dash-panel bare" : "dash-panel"} aria-label={name} onKeyDown={editing?.onKey}>
      {!bare && (
        <header className="dash-head">
          {editing ? (
            <button
              type="button"
              className="dash-handle"
              aria-label={t.move(name)}
              title={t.move(name)}
              data-move
              onPointerDown={(e) => editing.onDrag(e, false)}
            >
              <h2 className="clip">{name}</h2>
            </button>
          ) : (
            <h2 className="clip grow" title={title}>
              {title}
            </h2>
          )}
          <PanelMenu
            panel={panel}
            values={values}
            time={time}
            editing={editing}
            name={name}
            onClose={() => setClose(true)}
          />
        </header>
      )}
      <div className="dash-body">
        <PanelBody panel={panel} values={values} time={time} height={height} title={name} on={inSight} />
      </div>
      {editing && (
        <span
          className="dash-corner"
          aria-hidden="true"
          title={t.resize(name)}
          onPointerDown={(e) => editing.onDrag(e, true)}
        />
      )}
      {close && (
        <Drawer title={name} broad onClose={() => setClose(false)}>
          <Closer panel={panel} values={values} time={time} title={name} />
        </Drawer>
      )}
    </section>
  );
}

function PanelMenu({
  panel,
  values,
  time,
  editing,
  name,
  onClose,
}: PanelProps & { name: string; onClose: () => void }) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const search = resolved(panel, values).find((query) => query.source === "search");
  const items: MenuItem[] = [];
  if (editing) {
    items.push(
      { id: "edit", name: t.editPanel, icon: "edit", onChoose: editing.onEdit },
      { id: "duplicate", name: t.duplicate, icon: "copy", onChoose: editing.onDuplicate },
      { id: "remove", name: t.removePanel, icon: "trash", danger: true, onChoose: editing.onRemove },
    );
  } else {
    if (panel.kind !== "text") items.push({ id: "look", name: t.look, icon: "expand", onChoose: onClose });
    if (search?.source === "search") {
      items.push({
        id: "search",
        name: t.openSearch,
        icon: "search",
        onChoose: () =>
          navigate(
            href("/search", {
              index: search.index,
              q: search.query,
              time: search.timeField,
              from: time.range.from,
              to: time.range.to,
            }),
          ),
      });
    }
  }
  if (items.length === 0) return null;
  if (editing) {
    return (
      <span className="row dash-actions">
        <IconButton small icon="edit" label={`${t.editPanel}: ${name}`} onClick={editing.onEdit} />
        <Menu label={t.panelMenu(name)} icon="more" small items={items} />
      </span>
    );
  }
  return <Menu label={t.panelMenu(name)} icon="more" small items={items} />;
}

/** PanelBody is a panel's drawing, or why there is none. */
export function PanelBody({
  panel,
  values,
  time,
  height,
  title,
  on,
  after,
}: PanelProps & {
  height: number;
  title: string;
  on: boolean;
  /** after draws what belongs below. */
  after?: (figures: Figures) => React.ReactNode;
}) {
  const t = useText(text);
  const query = useFigures({ panel, values, time }, on);
  if (panel.kind === "text") return <TextPanel value={filled(panel.text, named(values, t.all))} />;
  const lack = lackOf(panel);
  if (lack) {
    const words = { expr: t.lackExpr, index: t.lackIndex, field: t.lackField, queries: t.lackQueries };
    return <Notice>{t.lacks + words[lack]}</Notice>;
  }
  if (query.error) return <Failed inline error={query.error} retry={() => query.refetch()} />;
  if (!query.data) return <span className="skeleton" style={{ height: Math.max(16, height) }} />;
  const { missing } = query.data;
  if (missing && query.data.lines.length === 0) {
    return <Notice tone="late">{t.noField(missing.index, missing.field, missing.dates.join(", "))}</Notice>;
  }
  return (
    <>
      <Warnings figures={query.data} />
      <Draw panel={panel} figures={query.data} height={height} title={title} onZoom={(a, b) => time.zoom(a, b)} />
      {after?.(query.data)}
    </>
  );
}

/** Closer shows a panel large, with the queries behind it and its figures. */
function Closer({ panel, values, time, title }: PanelProps & { title: string }) {
  const t = useText(text);
  const { language } = useI18n();
  const format = formatOf(panel.unit, language);
  return (
    <div className="column wide-gap">
      <div className="dash-closer">
        <PanelBody panel={panel} values={values} time={time} height={380} title={title} on />
      </div>
      <section className="section">
        <h2>{t.queries}</h2>
        {resolved(panel, values).map((query, i) => (
          <pre key={i} className="pre dash-query">
            {query.source === "promql"
              ? filledExpr(query.expr, values)
              : [
                  `${query.metric}${query.field ? `(${query.field})` : ""}`,
                  `${t.index}: ${query.index}`,
                  query.query && `${t.filter}: ${query.query}`,
                  query.groupBy && `${t.groupBy}: ${query.groupBy}`,
                  `${t.timeField}: ${query.timeField || "@timestamp"}`,
                ]
                  .filter(Boolean)
                  .join("\n")}
          </pre>
        ))}
      </section>
      {panel.kind !== "logs" && panel.kind !== "table" && (
        <section className="section">
          <h2>{t.data}</h2>
          <FiguresTable panel={panel} values={values} time={time} format={format} />
        </section>
      )}
    </div>
  );
}

function FiguresTable({ panel, values, time, format }: PanelProps & { format: (value: number) => string }) {
  const t = useText(text);
  const query = useFigures({ panel, values, time }, true);
  const spread = (all: (number | null)[]) => all.filter((value): value is number => value !== null);
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t.name}</th>
          <th scope="col" className="right">
            {t.min}
          </th>
          <th scope="col" className="right">
            {t.avg}
          </th>
          <th scope="col" className="right">
            {t.max}
          </th>
          <th scope="col" className="right">
            {t.value}
          </th>
        </tr>
      </thead>
      <tbody>
        {(query.data?.lines ?? []).map((line, i) => {
          const all = spread(line.values);
          const cells =
            all.length === 0
              ? []
              : [
                  all.reduce((a, b) => Math.min(a, b)),
                  all.reduce((a, b) => a + b, 0) / all.length,
                  all.reduce((a, b) => Math.max(a, b)),
                  all.at(-1) ?? Number.NaN,
                ];
          return (
            <tr key={`${line.name} ${i}`}>
              <td className="break">{line.name || panel.title}</td>
              {cells.map((value, k) => (
                <td key={k} className="right num">
                  {format(value)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
