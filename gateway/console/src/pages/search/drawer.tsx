import { useEffect, useEffectEvent, useState } from "react";
import { recall, remember } from "@/app/memory";
import { Ago, absolute } from "@/format";
import { writeJson } from "@/format/json";
import { useText } from "@/i18n";
import type { Field } from "@/search/fields";
import type { Hit } from "@/search/store";
import { Check, Copy, Drawer, IconButton, type JsonPath, JsonTree, Tabs } from "@/ui";
import { Around } from "./around-view";
import { flat, show, timeOf } from "./document";
import { type Filter, filterOf } from "./filter";
import { plain } from "./marks";
import { Marked } from "./table";
import { text } from "./text";

type View = "table" | "tree" | "raw" | "around";

export interface DrawerProps {
  hit: Hit;
  timeField: string;
  fields: readonly Field[];
  columns: readonly string[];
  onColumns: (columns: string[]) => void;
  onFilter: (filter: Filter) => void;
  onClose: () => void;
  onStep: ((by: 1 | -1) => void) | undefined;
  onOpen: (hit: Hit) => void;
}

/** DocumentDrawer shows a document whole. Alt with up and down goes to its neighbours. */
export function DocumentDrawer(props: DrawerProps) {
  const { hit, timeField, onClose, onStep } = props;
  const t = useText(text);
  const [view, setView] = useState<View>("table");
  const [wrap, setWrap] = useState(() => recall("search.wrap") !== "no");
  const step = useEffectEvent((by: 1 | -1) => onStep?.(by));
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.target instanceof HTMLElement && e.target.closest("input, textarea, select, [role=tablist]")) return;
      if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
        e.preventDefault();
        step(e.key === "ArrowDown" ? 1 : -1);
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const at = timeOf(hit, timeField);
  const json = () => writeJson(hit._source ?? {}, 2);
  return (
    <Drawer
      title={at ? <span className="num">{absolute(at)}</span> : hit._id}
      onClose={onClose}
      broad
      actions={
        <>
          <IconButton icon="up" label={`${t.previous} (Alt ↑)`} disabled={!onStep} onClick={() => onStep?.(-1)} />
          <IconButton icon="down" label={`${t.next} (Alt ↓)`} disabled={!onStep} onClick={() => onStep?.(1)} />
          <Copy label={t.copy} value={json} />
        </>
      }
    >
      <div className="column wide-gap">
        <dl className="facts">
          <dt>_index</dt>
          <dd className="mono">{hit._index}</dd>
          <dt>_id</dt>
          <dd className="mono">{hit._id}</dd>
          {at && (
            <>
              <dt>{timeField}</dt>
              <dd>
                <Ago at={at} />
              </dd>
            </>
          )}
        </dl>
        <div className="row between wrap">
          <Tabs
            label={t.view}
            value={view}
            onValue={(id) => setView(id as View)}
            tabs={[
              { id: "table", name: t.tabTable },
              { id: "tree", name: t.tabTree },
              { id: "raw", name: t.tabRaw },
              { id: "around", name: t.tabAround },
            ]}
          />
          <Check
            label={t.wrap}
            checked={wrap}
            onValue={(on) => {
              remember("search.wrap", on ? "yes" : "no");
              setWrap(on);
            }}
          />
        </div>
        {view === "table" && <FieldTable {...props} wrap={wrap} />}
        {view === "tree" && <Tree {...props} wrap={wrap} />}
        {view === "raw" && <pre className={wrap ? "pre" : "search-raw"}>{json()}</pre>}
        {view === "around" && (
          <Around hit={hit} timeField={timeField} fields={props.fields} wrap={wrap} onOpen={props.onOpen} />
        )}
      </div>
    </Drawer>
  );
}

/** FieldTable has a line for each field; each value can be filtered for and out. */
function FieldTable({ hit, fields, columns, onColumns, onFilter, wrap }: DrawerProps & { wrap: boolean }) {
  const t = useText(text);
  const types = new Map(fields.map((field) => [field.name, field.types.join(", ")]));
  return (
    <table className="table search-document">
      <thead className="hidden-label">
        <tr>
          <th scope="col">{t.field}</th>
          <th scope="col">{t.value}</th>
        </tr>
      </thead>
      <tbody>
        {flat(hit._source ?? {}).map(([name, value]) => {
          const values = Array.isArray(value) && value.every((one) => typeof one !== "object") ? value : [value];
          return (
            <tr key={name}>
              <th scope="row">
                <span className="mono break" title={types.get(name)}>
                  {name}
                </span>
                <IconButton
                  small
                  icon={columns.includes(name) ? "close" : "columns"}
                  label={columns.includes(name) ? t.removeColumn(name) : t.addColumn(name)}
                  onClick={() =>
                    onColumns(columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name])
                  }
                />
              </th>
              <td>
                {values.map((one, i) => (
                  <FieldValue key={i} name={name} value={one} hit={hit} wrap={wrap} onFilter={onFilter} />
                ))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const LONG = 5000;

function FieldValue({
  name,
  value,
  hit,
  wrap,
  onFilter,
}: {
  name: string;
  value: unknown;
  hit: Hit;
  wrap: boolean;
  onFilter: (filter: Filter) => void;
}) {
  const t = useText(text);
  const [whole, setWhole] = useState(false);
  const shown = value === null ? "null" : show(value);
  const marked = hit.highlight?.[name]?.find((one) => plain(one) === shown) ?? shown;
  const short = shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
  const both = ([out, icon, label]: [boolean, "plus" | "minus", string]) => {
    const filter = filterOf(name, value, out);
    return filter && <IconButton key={icon} small icon={icon} label={label} onClick={() => onFilter(filter)} />;
  };
  return (
    <div className="search-field-value">
      <span className={wrap ? "mono pre grow" : "mono clip grow search-nowrap"} title={wrap ? undefined : shown}>
        <Marked text={marked} most={whole ? Number.POSITIVE_INFINITY : LONG} />
        {!whole && shown.length > LONG && (
          <button type="button" className="link small" onClick={() => setWhole(true)}>
            … +{shown.length - LONG}
          </button>
        )}
      </span>
      <span className="search-value-actions">
        {both([false, "plus", t.filterFor(`${name}: ${short}`)])}
        {both([true, "minus", t.filterOut(`${name}: ${short}`)])}
      </span>
    </div>
  );
}

function Tree({ hit, columns, onColumns, onFilter, wrap }: DrawerProps & { wrap: boolean }) {
  // Of a list the field is the list itself.
  const name = (path: JsonPath) => path.filter((step) => typeof step === "string").join(".");
  return (
    <JsonTree
      value={hit._source ?? {}}
      wrap={wrap}
      onValue={(path, value) => {
        const filter = filterOf(name(path), value, false);
        if (filter) onFilter(filter);
      }}
      onKey={(path) => {
        if (!columns.includes(name(path))) onColumns([...columns, name(path)]);
      }}
    />
  );
}
