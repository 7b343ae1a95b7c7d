import { useQuery } from "@tanstack/react-query";
import { ApiError, Code } from "@weirflow/sdk";
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { recall, remember } from "@/app/memory";
import { href } from "@/app/url";
import { useText } from "@/i18n";
import { timeFieldOf } from "@/search/fields";
import { documents, type Hit } from "@/search/store";
import { useTimeRange } from "@/time/range";
import { Button, Drawer, Empty, Failed, Icon, Loading, Menu, Notice, Page, TimeControls, useToast } from "@/ui";
import { FilterList, IndexPicker, QueryInput, TimeFieldSelect, useIndices } from "./bar";
import { Download } from "./download";
import { DocumentDrawer } from "./drawer";
import { withFilter } from "./filter";
import { Histogram } from "./histogram";
import { panelQuery } from "./panel";
import { idOf, oneOf } from "./request";
import { Live, Results } from "./results";
import "./search.css";
import { linesOfQuery, newPolicyHref, topicOfIndex } from "@/pages/alerts/from-lines";
import { indexFor } from "@/pages/dashboards/suit";
import { Sidebar } from "./sidebar";
import { type SearchState, useSearchState } from "./state";
import { text } from "./text";
import { askedOf, failuresOf, spanOf, useFields, useHistogram } from "./use-search";
import { valuesIn } from "./values";

/** useIndex is the index looked at: the URL's, or the last one, or one's own with the most documents. */
function useIndex(chosen: string) {
  const indices = useIndices();
  const first = useMemo(() => {
    const all = indices.data?.indices ?? [];
    const before = recall("search.index");
    if (before && all.some((one) => one.name === before)) return before;
    const most = all.toSorted((a, b) => num(b.documents) - num(a.documents)).flatMap((one) => one.name ?? []);
    return indexFor([], most);
  }, [indices.data]);
  return { index: chosen || first, indices };
}

export default function SearchPage() {
  const t = useText(text);
  const [state, set] = useSearchState();
  const { index, indices } = useIndex(state.index);
  // The address says which, so that it shows others the same.
  useEffect(() => {
    if (state.index === "" && index !== "") set({ index });
  }, [state.index, index, set]);
  if (index === "" && indices.isPending) {
    return (
      <Page title={t.title} place="search">
        <Loading lines={12} />
      </Page>
    );
  }
  if (index === "") {
    return (
      <Page title={t.title} place="search">
        {indices.error ? (
          <Failed error={indices.error} retry={() => indices.refetch()} />
        ) : (
          <Empty title={t.noIndices} action={<Link href="/jobs">{t.toJobs}</Link>}>
            <p>{t.noIndicesHint}</p>
          </Empty>
        )}
      </Page>
    );
  }
  return <Discover index={index} state={state} set={set} />;
}

/** problemOf is what the store has against a query, rather than that it failed. */
function problemOf(error: unknown, query: string): string | undefined {
  return error instanceof ApiError && error.code === Code.INVALID_ARGUMENT && query !== "" ? error.message : undefined;
}

function Discover({
  index,
  state,
  set,
}: {
  index: string;
  state: SearchState;
  set: (change: Partial<SearchState>) => void;
}) {
  const t = useText(text);
  const time = useTimeRange();
  const { query: caps, fields } = useFields(index);
  const asked = useMemo(() => askedOf(state, fields), [state, fields]);
  const ready = caps.data !== undefined;
  const counted = useHistogram(index, asked, time, ready);
  const [rows, setRows] = useState<Hit[]>([]);
  const [dialog, setDialog] = useState<"download" | "fields">();
  const problem = problemOf(counted.error, state.query);
  const setIndex = (chosen: string) => {
    remember("search.index", chosen);
    set({ index: chosen, filters: [], columns: [], time: undefined, document: "" });
  };
  const open = useOpen(index, rows, state.document, ready);
  const sidebar = (
    <Sidebar
      pattern={index}
      asked={asked}
      spanOf={() => spanOf(time)}
      spanKey={`${time.range.from} ${time.range.to}`}
      rows={rows}
      columns={state.columns}
      onColumns={(columns) => set({ columns })}
      onFilter={(filter) => set({ filters: withFilter(state.filters, filter) })}
    />
  );
  const at = rows.findIndex((hit) => idOf(hit) === state.document);
  const failures = failuresOf(counted.data?.answer);
  const common = {
    pattern: index,
    asked,
    state,
    set,
    onRows: setRows,
    setTime: () => time.setRange({ from: "now-30d", to: "now" }),
  };
  return (
    <Page
      title={t.title}
      place="search"
      fill
      actions={
        <>
          <Share index={index} state={state} />
          <PanelLink index={index} query={panelQuery(state.query, state.filters)} />
          <AlertLink index={index} query={panelQuery(state.query, state.filters)} />
          <Button look="ghost" icon="download" disabled={!ready} onClick={() => setDialog("download")}>
            <span className="wide-only">{t.download}</span>
            <span className="narrow-only hidden-label">{t.download}</span>
          </Button>
          {asked.timeField !== "" && <TimeControls time={time} />}
        </>
      }
    >
      <search className="search-bar">
        <IndexPicker value={index} onValue={setIndex} />
        <QueryInput
          value={state.query}
          onValue={(query) => set({ query })}
          fields={fields}
          valuesOf={(field) => valuesIn(rows, field)}
          problem={problem}
        />
        <TimeFieldSelect value={asked.timeField} fields={fields} onValue={(name) => set({ time: name })} />
        <Button
          icon={state.live ? "stop" : "play"}
          aria-pressed={state.live}
          disabled={asked.timeField === ""}
          title={asked.timeField === "" ? t.liveNeedsTime : undefined}
          onClick={() => set({ live: !state.live })}
        >
          {state.live ? t.stopLive : t.live}
        </Button>
        <Button className="search-fields-button" icon="columns" onClick={() => setDialog("fields")}>
          {t.fields}
        </Button>
      </search>
      <FilterList filters={state.filters} onFilters={(filters) => set({ filters })} />
      {caps.error ? (
        <Failed error={caps.error} retry={() => caps.refetch()} />
      ) : (
        <>
          {failures && <Notice tone="late">{t.partial(failures)}</Notice>}
          {counted.data?.answer.timed_out && <Notice tone="late">{t.timedOut}</Notice>}
          <Histogram
            counted={counted.data}
            open={state.chart}
            onOpen={(chart) => set({ chart })}
            onZoom={(from, to) => time.zoom(from, to)}
          />
          <div className="search-main">
            <aside className="search-side" aria-label={t.fields}>
              {sidebar}
            </aside>
            <div className="search-results">
              {!ready ? (
                <Loading lines={12} />
              ) : state.live && asked.timeField ? (
                <Live {...common} />
              ) : (
                <Results {...common} time={time} total={counted.data?.answer.hits?.total?.value} problem={problem} />
              )}
            </div>
          </div>
        </>
      )}
      {dialog === "fields" && (
        <Drawer title={t.fields} onClose={() => setDialog(undefined)}>
          {sidebar}
        </Drawer>
      )}
      {dialog === "download" && (
        <Download
          pattern={index}
          asked={asked}
          span={() => spanOf(time)}
          columns={state.columns}
          onClose={() => setDialog(undefined)}
        />
      )}
      {open.hit && (
        <DocumentDrawer
          hit={open.hit}
          timeField={asked.timeField || timeFieldOf(fields)}
          fields={fields}
          columns={state.columns}
          onColumns={(columns) => set({ columns })}
          onFilter={(filter) => set({ filters: withFilter(state.filters, filter) })}
          onClose={() => set({ document: "" })}
          onStep={
            at < 0
              ? undefined
              : (by) => {
                  const next = rows[at + by];
                  if (next) set({ document: idOf(next) });
                }
          }
          onOpen={(hit) => set({ document: idOf(hit) })}
        />
      )}
      {open.gone && (
        <Drawer title={t.document} onClose={() => set({ document: "" })}>
          <Notice>{t.gone}</Notice>
        </Drawer>
      )}
    </Page>
  );
}

/** useOpen is the document that is open: of those at hand, or asked for by its id. */
function useOpen(pattern: string, rows: readonly Hit[], id: string, ready: boolean) {
  // It stays while the rows around it are asked for anew.
  const [held, setHeld] = useState<Hit>();
  const inRows = id ? rows.find((hit) => idOf(hit) === id) : undefined;
  const hit = inRows ?? (held && idOf(held) === id ? held : undefined);
  if (inRows && inRows !== held) setHeld(inRows);
  const index = id.slice(0, Math.max(0, id.indexOf("/"))) || pattern;
  const query = useQuery({
    queryKey: ["search-document", id],
    enabled: id !== "" && hit === undefined && ready,
    queryFn: async ({ signal }) => (await documents(index, oneOf(id), signal)).hits?.hits?.[0] ?? null,
    placeholderData: undefined,
    staleTime: 60_000,
  });
  const asked = query.data ?? undefined;
  const found = hit ?? (asked && idOf(asked) === id ? asked : undefined);
  return { hit: id ? found : undefined, gone: id !== "" && !hit && (query.data === null || query.error !== null) };
}

/** PanelLink leads to the dashboards, where a panel of this search is begun. */
function PanelLink({ index, query }: { index: string; query: string }) {
  const t = useText(text);
  const { range } = useTimeRange();
  const to = href("/dashboards", { panel: "new", index, query, from: range.from, to: range.to });
  return (
    <Link href={to} className="button ghost" aria-label={t.makePanel} title={t.makePanel}>
      <Icon name="dashboards" />
      <span className="wide-only">{t.panel}</span>
    </Link>
  );
}

/** AlertLink leads to a policy over the lines that this search finds. */
function AlertLink({ index, query }: { index: string; query: string }) {
  const t = useText(text);
  const { may } = useSession();
  const jobs = useQuery({
    queryKey: ["jobs"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }),
    staleTime: 30_000,
    retry: false,
  });
  if (!may("operator")) return null;
  const to = newPolicyHref({ ...linesOfQuery(query), topic: topicOfIndex(index, jobs.data?.jobs ?? []) });
  return (
    <Link href={to} className="button ghost" aria-label={t.makeAlert} title={t.makeAlert}>
      <Icon name="alerts" />
      <span className="wide-only">{t.alert}</span>
    </Link>
  );
}

/** Share copies a link to this very search. */
function Share({ index, state }: { index: string; state: SearchState }) {
  const t = useText(text);
  const toast = useToast();
  const time = useTimeRange();
  const copy = async (fixed: boolean) => {
    const url = new URL(window.location.href);
    url.searchParams.set("index", state.index || index);
    const { from, to } = time.now();
    url.searchParams.set("from", fixed ? from.toISOString() : time.range.from);
    url.searchParams.set("to", fixed ? to.toISOString() : time.range.to);
    try {
      await navigator.clipboard.writeText(url.href);
      toast({ message: t.copied });
    } catch {
      window.history.replaceState(window.history.state, "", url);
      toast({ message: t.notCopied });
    }
  };
  return (
    <Menu
      label={t.share}
      icon="link"
      items={[
        { id: "now", name: t.shareNow, onChoose: () => copy(false) },
        { id: "fixed", name: t.shareFixed, onChoose: () => copy(true) },
      ]}
    />
  );
}
