import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { compact, percent, whole } from "@/format";
import { useText } from "@/i18n";
import type { Field, Kind } from "@/search/fields";
import { type Aggregation, aggregate, type Hit } from "@/search/store";
import { Failed, IconButton, Input } from "@/ui";
import { presentFields, sampleTop, show } from "./document";
import { type Filter, filterOf } from "./filter";
import { type Asked, type Span, topOf } from "./request";
import { text } from "./text";

/** LETTERS stand for kinds where there is no room. */
const LETTERS: Record<Kind, string> = {
  text: "t",
  keyword: "k",
  number: "#",
  date: "d",
  boolean: "b",
  ip: "ip",
  other: "·",
  mixed: "?",
};

interface SidebarProps {
  pattern: string;
  asked: Asked;
  spanOf: () => Span;
  /** spanKey changes with the time looked at. */
  spanKey: string;
  rows: readonly Hit[];
  columns: readonly string[];
  onColumns: (columns: string[]) => void;
  onFilter: (filter: Filter) => void;
}

/** Sidebar lists the fields; one that is unfolded shows its most frequent values. */
export function Sidebar(props: SidebarProps) {
  const { asked, rows, columns, onColumns } = props;
  const t = useText(text);
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState("");
  const present = useMemo(() => presentFields(rows), [rows]);
  const found = asked.fields.filter((field) => field.name.toLowerCase().includes(typed.trim().toLowerCase()));
  const chosen = columns.map(
    (name) =>
      asked.fields.find((field) => field.name === name) ?? {
        name,
        types: [],
        kind: "other" as const,
        searchable: false,
        whole: undefined,
      },
  );
  const rest = found.filter((field) => !columns.includes(field.name));
  const groups: [string, Field[]][] = [
    [t.chosenFields, typed ? [] : chosen],
    [t.present, rest.filter((field) => present.has(field.name))],
    [t.others, rest.filter((field) => !present.has(field.name))],
  ];
  return (
    <div className="search-fields">
      <Input
        type="search"
        label={t.findField}
        placeholder={t.findField}
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
      />
      <div className="search-field-groups" tabIndex={0} role="region" aria-label={t.fields}>
        {groups
          .filter(([, fields]) => fields.length > 0)
          .map(([name, fields]) => (
            <section key={name}>
              <h3 className="small">{name}</h3>
              <ul>
                {fields.map((field) => (
                  <Item
                    key={field.name}
                    {...props}
                    field={field}
                    open={open === field.name}
                    onOpen={() => setOpen(open === field.name ? "" : field.name)}
                    onMove={moveOf(columns, field.name, onColumns)}
                  />
                ))}
              </ul>
            </section>
          ))}
        {found.length === 0 && <p className="quiet small">{t.noField}</p>}
      </div>
    </div>
  );
}

/** moveOf moves a column to the left; there is no way for the first one. */
function moveOf(columns: readonly string[], name: string, onColumns: (columns: string[]) => void) {
  const at = columns.indexOf(name);
  if (at < 1) return undefined;
  return () => onColumns([...columns.slice(0, at - 1), name, ...columns.slice(at - 1).filter((one) => one !== name)]);
}

interface ItemProps extends SidebarProps {
  field: Field;
  open: boolean;
  onOpen: () => void;
  onMove: (() => void) | undefined;
}

function Item(props: ItemProps) {
  const { field, open, onOpen, onMove, columns, onColumns } = props;
  const t = useText(text);
  const isColumn = columns.includes(field.name);
  return (
    <li>
      <div className="search-field">
        <button type="button" aria-expanded={open} onClick={onOpen} title={`${field.name} · ${field.types.join(", ")}`}>
          <span className="search-kind mono" aria-hidden="true">
            {LETTERS[field.kind]}
          </span>
          <span className="hidden-label">{field.types.join(", ")} </span>
          <span className="clip mono">{field.name}</span>
        </button>
        {onMove && <IconButton small icon="up" label={t.moveUp(field.name)} onClick={onMove} />}
        <IconButton
          small
          icon={isColumn ? "close" : "plus"}
          label={isColumn ? t.removeColumn(field.name) : t.addColumn(field.name)}
          onClick={() => onColumns(isColumn ? columns.filter((one) => one !== field.name) : [...columns, field.name])}
        />
      </div>
      {open && (field.whole ? <Top {...props} /> : <Sample {...props} />)}
    </li>
  );
}

/** Top are the most frequent values of a field in all that is found. */
function Top({ pattern, asked, spanOf, spanKey, field, onFilter }: ItemProps) {
  const t = useText(text);
  const query = useQuery({
    queryKey: ["search-top", pattern, asked.query, asked.filters, asked.timeField, spanKey, field.name],
    queryFn: ({ signal }) => aggregate(pattern, topOf(asked, spanOf(), field), signal),
    staleTime: 15_000,
    placeholderData: undefined,
  });
  if (query.error) return <Failed inline error={query.error} retry={() => query.refetch()} />;
  const top = query.data?.aggregations?.top;
  if (!top) return <span className="skeleton" />;
  const has = query.data?.aggregations?.has?.doc_count ?? 0;
  const all = query.data?.hits?.total?.value ?? 0;
  const values = (top.buckets ?? []).map((bucket) => ({
    value: filterValue(field, bucket.key, bucket.key_as_string),
    label: bucket.key_as_string ?? String(bucket.key),
    count: bucket.doc_count,
  }));
  return (
    <div className="search-top">
      <p className="quiet small">{values.length > 0 ? t.top(whole(has), whole(all)) : t.noValues}</p>
      {field.kind === "number" && has > 0 && <Spread aggregations={query.data?.aggregations ?? {}} />}
      <Values field={field} values={values} of={has} onFilter={onFilter} />
    </div>
  );
}

/** filterValue is a bucket's key as a filter wants it. */
function filterValue(field: Field, key: string | number, text: string | undefined): unknown {
  if (field.kind === "boolean") return text === "true" || key === 1;
  return field.kind === "date" && text !== undefined ? text : key;
}

function Spread({ aggregations }: { aggregations: Record<string, Aggregation> }) {
  const t = useText(text);
  const value = (name: string) => compact(aggregations[name]?.value ?? Number.NaN);
  return (
    <p className="small num search-spread">
      <span className="quiet">{t.min}</span> {value("min")} <span className="quiet">{t.avg}</span> {value("avg")}{" "}
      <span className="quiet">{t.max}</span> {value("max")}
    </p>
  );
}

/** Sample are the most frequent values in the documents at hand. */
function Sample({ rows, field, onFilter }: ItemProps) {
  const t = useText(text);
  const sample = rows.slice(0, 500);
  const values = sampleTop(sample, field).map((one) => ({ ...one, label: show(one.value) }));
  return (
    <div className="search-top">
      <p className="quiet small">{values.length > 0 ? t.sample(whole(sample.length)) : t.noValues}</p>
      <Values field={field} values={values} of={sample.length} onFilter={onFilter} />
    </div>
  );
}

function Values({
  field,
  values,
  of,
  onFilter,
}: {
  field: Field;
  values: { value: unknown; label: string; count: number }[];
  of: number;
  onFilter: (filter: Filter) => void;
}) {
  const t = useText(text);
  const filter = (value: unknown, out: boolean) => {
    const made = filterOf(field.name, value, out);
    if (made) onFilter(made);
  };
  return (
    <ul>
      {values.map(({ value, label, count }) => (
        <li key={label} className="search-value">
          <div className="row">
            <button type="button" className="link mono clip grow" title={label} onClick={() => filter(value, false)}>
              {label === "" ? "“”" : label}
            </button>
            <span className="num small quiet" title={whole(count)}>
              {percent(count / Math.max(1, of))}
            </span>
            <IconButton small icon="plus" label={t.filterFor(label)} onClick={() => filter(value, false)} />
            <IconButton small icon="minus" label={t.filterOut(label)} onClick={() => filter(value, true)} />
          </div>
          <div className="search-share" style={{ width: `${Math.min(100, (100 * count) / Math.max(1, of))}%` }} />
        </li>
      ))}
    </ul>
  );
}
