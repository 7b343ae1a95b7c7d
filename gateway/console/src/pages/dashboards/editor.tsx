import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { useIndices } from "@/pages/search/bar";
import { complete } from "@/pages/search/complete";
import { useFields } from "@/pages/search/use-search";
import { SuggestInput } from "@/search/suggest";
import type { TimeRangeState } from "@/time/range";
import { Button, Check, CodeEditor, DelayedInput, Field, IconButton, Input, Select } from "@/ui";
import { KINDS, type Kind, newQuery, type Panel, type PromQL, type Query, type Search } from "./model";
import { PanelBody } from "./panel";
import { indexFor, suited } from "./suit";
import { text } from "./text";
import { UNITS } from "./units";
import { fieldNames, filled, named, type Role, type Values } from "./variables";

interface EditorProps {
  panel: Panel;
  /** index is the one that a query of documents begins with. */
  index: string;
  values: Values;
  time: TimeRangeState;
  onPanel: (panel: Panel) => void;
}

/** PanelEditor changes a panel; its drawing above follows each change. */
export function PanelEditor({ panel, index, values, time, onPanel }: EditorProps) {
  const t = useText(text);
  const set = (change: Partial<Panel>) => onPanel({ ...panel, ...change });
  const setQuery = (i: number, query: Query) =>
    set({ queries: panel.queries.map((one, k) => (k === i ? query : one)) });
  const first = indexFor([panel], index ? [index] : []);
  const units: string[] = [...UNITS];
  const stacks = panel.kind === "line" || panel.kind === "area" || panel.kind === "bar";
  const setKind = (kind: Kind) =>
    set({
      kind,
      // Lines of logs come from documents only, and a text from nothing.
      queries:
        kind === "text"
          ? []
          : kind === "logs"
            ? [panel.queries.find((one) => one.source === "search") ?? newQuery("search", first)]
            : panel.queries.length > 0
              ? panel.queries
              : [newQuery(first ? "search" : "promql", first)],
    });
  return (
    <div className="dash-editor">
      <section className="dash-preview" aria-label={t.preview}>
        <h2 className="clip">{filled(panel.title, named(values, t.all)) || t.preview}</h2>
        <div className="dash-body">
          <PanelBody panel={panel} values={values} time={time} height={300} title={t.preview} on />
        </div>
      </section>
      <div className="dash-form">
        <Field label={t.panelTitle}>
          <Input value={panel.title} onChange={(e) => set({ title: e.target.value })} />
        </Field>
        <div className="row wrap">
          <Field label={t.kind}>
            <Select
              value={panel.kind}
              options={(Object.keys(KINDS) as Kind[]).map((kind) => ({ value: kind, name: t[kind] }))}
              onValue={(kind) => setKind(kind as Kind)}
            />
          </Field>
          {panel.kind !== "text" && panel.kind !== "logs" && (
            <Field label={t.unit}>
              <Select
                value={panel.unit || "short"}
                options={units.includes(panel.unit) || panel.unit === "" ? units : [panel.unit, ...units]}
                onValue={(unit) => set({ unit })}
              />
            </Field>
          )}
          {stacks && <Check label={t.stacked} checked={panel.stacked} onValue={(stacked) => set({ stacked })} />}
        </div>
        {panel.kind === "text" ? (
          <Field label={t.markdown}>
            <textarea
              className="textarea"
              rows={10}
              value={panel.text}
              onChange={(e) => set({ text: e.target.value })}
            />
          </Field>
        ) : (
          <>
            {panel.queries.map((query, i) => (
              <QueryForm
                key={i}
                letter={String.fromCharCode(65 + i)}
                panel={panel}
                query={query}
                values={values}
                onQuery={(next) => setQuery(i, next)}
                onSource={(source) => setQuery(i, { ...newQuery(source, first), legend: query.legend })}
                onRemove={
                  panel.queries.length > 1 ? () => set({ queries: panel.queries.filter((_, k) => k !== i) }) : undefined
                }
              />
            ))}
            <div>
              <Button
                icon="plus"
                small
                disabled={panel.queries.length >= 20}
                onClick={() =>
                  set({ queries: [...panel.queries, newQuery(panel.queries.at(-1)?.source ?? "promql", first)] })
                }
              >
                {t.addQuery}
              </Button>
            </div>
          </>
        )}
      </div>
    </div>
  );
}

function QueryForm({
  letter,
  panel,
  query,
  values,
  onQuery,
  onSource,
  onRemove,
}: {
  letter: string;
  panel: Panel;
  query: Query;
  values: Values;
  onQuery: (query: Query) => void;
  onSource: (source: Query["source"]) => void;
  onRemove: (() => void) | undefined;
}) {
  const t = useText(text);
  return (
    <section className="dash-query-form" aria-label={`${t.query} ${letter}`}>
      <div className="row">
        <h3>{letter}</h3>
        <Select
          label={t.source}
          value={query.source}
          disabled={panel.kind === "logs"}
          options={[
            { value: "promql", name: t.promql },
            { value: "search", name: t.search },
          ]}
          onValue={(source) => onSource(source as Query["source"])}
        />
        <span className="grow" />
        {onRemove && <IconButton small icon="trash" label={t.removeQuery} onClick={onRemove} />}
      </div>
      {query.source === "promql" ? (
        <PromQLForm panel={panel} query={query} onQuery={onQuery} />
      ) : (
        <SearchForm panel={panel} query={query} values={values} onQuery={onQuery} />
      )}
      {panel.kind !== "logs" && (
        <Field label={t.legend} hint={t.legendHint}>
          <DelayedInput value={query.legend} onValue={(legend) => onQuery({ ...query, legend })} />
        </Field>
      )}
    </section>
  );
}

const FUNCTIONS = [
  "sum",
  "avg",
  "min",
  "max",
  "count",
  "topk",
  "bottomk",
  "quantile",
  "rate",
  "irate",
  "increase",
  "delta",
  "avg_over_time",
  "max_over_time",
  "min_over_time",
  "sum_over_time",
  "histogram_quantile",
  "label_replace",
  "by",
  "without",
  "on",
  "ignoring",
  "group_left",
  "offset",
];

function PromQLForm({ panel, query, onQuery }: { panel: Panel; query: PromQL; onQuery: (query: PromQL) => void }) {
  const t = useText(text);
  const metrics = useQuery({
    queryKey: ["metric-names"],
    queryFn: ({ signal }) => api.get("/api/v1/metrics", { query: { limit: 10_000 }, signal }),
    staleTime: 60_000,
  });
  const names = (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w:]+/);
    if (!word && !context.explicit) return null;
    return {
      from: word?.from ?? context.pos,
      validFor: /^[\w:]*$/,
      options: [
        ...(metrics.data?.metrics ?? []).map((one) => ({
          label: one.name ?? "",
          detail: one.type ?? "",
          ...(one.help ? { info: one.help } : {}),
        })),
        ...FUNCTIONS.map((label) => ({ label, detail: "PromQL" })),
      ],
    };
  };
  return (
    <>
      <CodeEditor
        language="text"
        label={t.expr}
        value={query.expr}
        placeholder={t.exprHint}
        minHeight={72}
        complete={names}
        onValue={(expr) => onQuery({ ...query, expr })}
      />
      {panel.kind !== "line" && panel.kind !== "area" && (
        <Check label={t.instant} checked={query.instant} onValue={(instant) => onQuery({ ...query, instant })} />
      )}
    </>
  );
}

const METRICS = ["count", "avg", "sum", "min", "max", "cardinality"] as const;
const PERCENTILES = ["p50", "p90", "p95", "p99"];

/** INTERVALS are what one may choose of; a dashboard of the API may have another. */
const INTERVALS = ["1s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "1d"];

function SearchForm({
  panel,
  query,
  values,
  onQuery,
}: {
  panel: Panel;
  query: Search;
  values: Values;
  onQuery: (query: Search) => void;
}) {
  const t = useText(text);
  const indices = useIndices().data?.indices ?? [];
  const { fields } = useFields(filled(query.index, values));
  const variables = Object.keys(values).map((name) => `$${name}`);
  // The form is as it should be only with the fields that the index has.
  const set = (change: Partial<Search>) => onQuery(suited({ ...query, ...change }, "index" in change ? [] : fields));
  const fill = useEffectEvent(() => {
    const next = suited(query, fields);
    if (next !== query) onQuery(next);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the fields of an index come, or another is chosen.
  useEffect(() => fill(), [fields, query.index]);
  const pick = (label: string, key: "index" | "timeField" | "field" | "groupBy", names: string[], hint = "") => (
    <Field label={label}>
      <SuggestInput
        label={label}
        pick
        placeholder={hint}
        value={query[key]}
        onCommit={(value) =>
          set({
            [key]: value.trim(),
            // Another index has another time; a variable has its own way.
            ...(key === "index" && value.trim() !== query.index && !query.timeField.startsWith("$")
              ? { timeField: "" }
              : {}),
          })
        }
        suggest={(typed) => ({
          from: 0,
          items: [...names, ...variables]
            .filter((one) => one.toLowerCase().includes(typed.toLowerCase()))
            .map((one) => ({ text: one })),
        })}
      />
    </Field>
  );
  const named = (role: Role) => fieldNames(fields, role);
  const percentiles = /^p\d/.test(query.metric) && !PERCENTILES.includes(query.metric) ? [query.metric] : [];
  const logs = panel.kind === "logs";
  return (
    <div className="dash-search-form">
      {pick(
        t.index,
        "index",
        indices.flatMap((one) => one.name ?? []),
      )}
      {pick(t.timeField, "timeField", named("time"), "@timestamp")}
      <div className="whole">
        <Field label={t.filter}>
          <SuggestInput
            label={t.filter}
            mono
            placeholder={t.filterHint}
            value={query.query}
            onCommit={(value) => set({ query: value.trim() })}
            suggest={(typed, caret) => complete(typed, caret, fields, () => [])}
          />
        </Field>
      </div>
      {!logs && (
        <>
          <Field label={t.metric}>
            <Select
              value={query.metric}
              options={[
                ...METRICS.map((metric) => ({ value: metric as string, name: t[metric] })),
                ...[...PERCENTILES, ...percentiles].map((p) => ({ value: p, name: t.percentile(p.slice(1)) })),
              ]}
              onValue={(metric) => set({ metric })}
            />
          </Field>
          {query.metric !== "count" && pick(t.field, "field", named(query.metric === "cardinality" ? "any" : "number"))}
          {pick(t.groupBy, "groupBy", named("group"), t.groupByNone)}
          {query.groupBy !== "" && (
            <Field label={t.size}>
              <DelayedInput
                inputMode="numeric"
                value={String(query.size || 10)}
                onValue={(size) => set({ size: Math.min(1000, Math.max(1, Number(size) || 10)) })}
              />
            </Field>
          )}
          {(query.overTime || panel.kind === "line" || panel.kind === "area") && (
            <Field label={t.interval}>
              <Select
                value={query.interval}
                options={[
                  { value: "", name: t.intervalAuto },
                  ...[...new Set([...INTERVALS, query.interval])]
                    .filter(Boolean)
                    .map((value) => ({ value, name: value })),
                ]}
                onValue={(interval) => set({ interval })}
              />
            </Field>
          )}
          {panel.kind !== "line" && panel.kind !== "area" && (
            <Check label={t.overTime} checked={query.overTime} onValue={(overTime) => set({ overTime })} />
          )}
        </>
      )}
    </div>
  );
}
