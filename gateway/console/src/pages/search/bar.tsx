import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { compact } from "@/format";
import { useText } from "@/i18n";
import type { Field } from "@/search/fields";
import { SuggestInput } from "@/search/suggest";
import { Button, Icon, IconButton, Select } from "@/ui";
import { complete } from "./complete";
import { show } from "./document";
import type { Filter, Operation } from "./filter";
import { text } from "./text";
import { allOf, bareWords } from "./words";

/** useIndices are the indices that one may read. */
export function useIndices() {
  return useQuery({
    queryKey: ["indices"],
    queryFn: ({ signal }) => api.get("/api/v1/indices", { signal }),
    staleTime: 10_000,
  });
}

/** IndexPicker chooses an index, or takes a pattern such as logs-*. */
export function IndexPicker({ value, onValue }: { value: string; onValue: (index: string) => void }) {
  const t = useText(text);
  const indices = useIndices().data?.indices;
  const items = useMemo(() => {
    const named = (indices ?? []).map((one) => ({
      text: one.name ?? "",
      detail: t.documentsIn(compact(num(one.documents)).trim()),
    }));
    return named.length > 1 ? [...named, { text: "*", detail: t.allIndices }] : named;
  }, [indices, t]);
  return (
    <SuggestInput
      label={t.index}
      placeholder={t.indexHint}
      className="search-index"
      pick
      mono
      value={value}
      onCommit={(typed) => typed.trim() && onValue(typed.trim())}
      suggest={(typed) => ({
        from: 0,
        items: items.filter((item) => item.text.toLowerCase().includes(typed.trim().toLowerCase())),
      })}
    />
  );
}

/** QueryInput takes a query in the query string's syntax; it knows the fields and what values they have. */
export function QueryInput({
  value,
  onValue,
  fields,
  valuesOf,
  problem,
}: {
  value: string;
  onValue: (query: string) => void;
  fields: readonly Field[];
  valuesOf: (field: string) => readonly string[];
  /** problem is what is wrong with the query. */
  problem: string | undefined;
}) {
  const t = useText(text);
  return (
    <div className="search-query">
      <SuggestInput
        label={t.query}
        placeholder={t.queryHint}
        mono
        value={value}
        onCommit={(typed) => onValue(typed.trim())}
        suggest={(typed, caret) => complete(typed, caret, fields, valuesOf)}
        invalid={problem !== undefined}
        describedBy="search-problem"
      />
      {problem !== undefined && (
        <p className="bad small break" id="search-problem" role="alert">
          {t.badQuery}: {problem}
        </p>
      )}
      {problem === undefined && <AnyWord query={value} onValue={onValue} />}
    </div>
  );
}

/** AnyWord says that any of several words matches, and offers what asks for all of them. */
function AnyWord({ query, onValue }: { query: string; onValue: (query: string) => void }) {
  const t = useText(text);
  const words = bareWords(query);
  if (!words) return null;
  const { all, phrase } = allOf(words);
  const choice = (text: string) => (
    <button type="button" className="link mono" onClick={() => onValue(text)}>
      {text}
    </button>
  );
  return (
    <p className="small quiet break search-any" role="status">
      {t.anyWord} {choice(all)}
      {t.or}
      {choice(phrase)}
    </p>
  );
}

export function TimeFieldSelect({
  value,
  fields,
  onValue,
}: {
  value: string;
  fields: readonly Field[];
  onValue: (field: string) => void;
}) {
  const t = useText(text);
  const dates = fields.filter((field) => field.kind === "date").map((field) => field.name);
  const known = value === "" || dates.includes(value) ? dates : [value, ...dates];
  return (
    <Select
      label={t.timeField}
      value={value}
      onValue={onValue}
      options={[...known.map((name) => ({ value: name, name })), { value: "", name: t.noTime }]}
    />
  );
}

const TURNED: Record<Operation, Operation> = { is: "not", not: "is", exists: "missing", missing: "exists" };

/** FilterList shows the filters; each can be turned round or taken away. */
export function FilterList({
  filters,
  onFilters,
}: {
  filters: readonly Filter[];
  onFilters: (filters: Filter[]) => void;
}) {
  const t = useText(text);
  if (filters.length === 0) return null;
  const name = (one: Filter) => {
    if (one.op === "exists") return `${one.field} ${t.exists}`;
    if (one.op === "missing") return `${one.field} ${t.missing}`;
    return `${one.op === "not" ? `${t.not} ` : ""}${one.field}: ${show(one.value)}`;
  };
  return (
    <ul className="search-filters">
      {filters.map((one, i) => (
        <li key={`${one.field} ${one.op} ${one.value}`} className={one.op === "is" || one.op === "exists" ? "" : "out"}>
          <button
            type="button"
            className="clip"
            title={t.invert(name(one))}
            onClick={() => onFilters(filters.map((other, k) => (k === i ? { ...one, op: TURNED[one.op] } : other)))}
          >
            <Icon name="filter" size={12} />
            <span className="clip">{name(one)}</span>
          </button>
          <IconButton
            small
            icon="close"
            label={t.removeFilter(name(one))}
            onClick={() => onFilters(filters.filter((_, k) => k !== i))}
          />
        </li>
      ))}
      {filters.length > 1 && (
        <li className="plain">
          <Button small look="ghost" onClick={() => onFilters([])}>
            {t.clearFilters}
          </Button>
        </li>
      )}
    </ul>
  );
}
