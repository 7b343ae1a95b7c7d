import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useEffect, useMemo, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { useKept } from "@/app/kept";
import { part, useUrlState } from "@/app/url";
import { useText } from "@/i18n";
import { useIndices } from "@/pages/search/bar";
import { useFields } from "@/pages/search/use-search";
import { useTimeRange } from "@/time/range";
import { Button, Empty, Menu, type MenuItem, Notice, Page, QueryView, TimeControls, useToast } from "@/ui";
import { PanelEditor } from "./editor";
import { Grid } from "./grid";
import { add } from "./layout";
import { type Dashboard, dashboardOf, freeId, newPanel, newQuery, type Panel } from "./model";
import { Conflict, isConflict, NameDialog, put, theirs, useRenew } from "./save";
import { SettingsDialog } from "./settings";
import { indexFor } from "./suit";
import { text } from "./text";
import { VariableBar } from "./variable-bar";
import { indexOf, valuesOf } from "./variables";

/** DashboardView shows a dashboard, and lets one change it. */
export function DashboardView({ name }: { name: string }) {
  const t = useText(text);
  const query = useQuery({
    queryKey: ["dashboard", name],
    queryFn: async ({ signal }) =>
      dashboardOf((await api.get("/api/v1/dashboards/{name}", { path: { name }, signal })).dashboard ?? {}),
    placeholderData: undefined,
    // What is being edited does not change under one's hands.
    refetchOnWindowFocus: false,
  });
  if (query.data) return <Loaded key={name} kept={query.data} />;
  return (
    <Page title={name} parent={{ name: t.title, path: "/dashboards" }}>
      <QueryView query={query}>{() => null}</QueryView>
    </Page>
  );
}

const VARIABLE = "var-";

/** useValues are the variables' values: in the URL, so that a link shows the same. */
function useValues(dashboard: Dashboard) {
  const [params, setParams] = useSearchParams();
  const chosen = (name: string) => params.get(VARIABLE + name);
  // The index is known before its fields are.
  const index = indexOf(dashboard, valuesOf(dashboard, chosen, []));
  const { fields } = useFields(index);
  const values = valuesOf(dashboard, chosen, fields);
  const set = (name: string, value: string) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        next.set(VARIABLE + name, value);
        // Fields of another index are others: those that suit it are found anew.
        const isIndex = dashboard.variables.some((one) => one.name === name && one.source === "indices");
        if (isIndex) {
          for (const one of dashboard.variables) if (one.source === "fields") next.delete(VARIABLE + one.name);
        }
        return next;
      },
      { replace: true },
    );
  return { values, fields, set };
}

function Loaded({ kept }: { kept: Dashboard }) {
  const t = useText(text);
  const toast = useToast();
  const session = useSession();
  const renew = useRenew();
  const [, navigate] = useLocation();
  const [draft, setDraft, drop] = useKept<Dashboard | null>(`dashboard.${kept.name}`, () => null);
  const [edit, setEdit] = useUrlState("edit");
  const [, setParams] = useSearchParams();
  const [panelId, setPanelId] = useUrlState("panel", "", { push: true });
  const [dialog, setDialog] = useState<"settings" | "copy">();
  const [conflict, setConflict] = useState<{ there: Schema<"Dashboard"> | undefined }>();
  const [busy, setBusy] = useState(false);
  const may = session.may("operator") && !kept.shipped;
  const editing = may && edit === "1";
  const dashboard = editing && draft ? draft : kept;
  const fallback = useMemo(() => ({ from: kept.range || "now-1h", to: "now" }), [kept.range]);
  const time = useTimeRange(fallback);
  const { values, fields, set: setValue } = useValues(dashboard);
  const changed = draft !== null && JSON.stringify(draft) !== JSON.stringify(kept);

  // Changes that outlived the page are gone on with.
  useEffect(() => {
    if (changed && may && edit !== "1") setEdit("1");
  }, [changed, may, edit, setEdit]);

  const change = (next: Partial<Dashboard>) => setDraft({ ...dashboard, ...next });
  const leave = () => {
    drop();
    setDraft(null);
    drop();
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        next.delete("edit");
        next.delete("panel");
        return next;
      },
      { replace: true },
    );
  };
  const save = async (version?: number) => {
    setBusy(true);
    try {
      await put(version === undefined ? dashboard : { ...dashboard, version });
      setConflict(undefined);
      leave();
      renew();
      toast({ message: t.saved });
    } catch (error) {
      if (isConflict(error)) setConflict({ there: await theirs(dashboard.name) });
      else toast({ message: error instanceof Error ? error.message : String(error) });
    } finally {
      setBusy(false);
    }
  };
  const discard = () => {
    const before = draft;
    leave();
    if (before && changed) toast({ message: t.discarded, undo: () => setDraft(before) });
  };
  const indices = useIndices();
  const names = (indices.data?.indices ?? []).flatMap((one) => one.name ?? []);
  const addPanel = () => {
    const id = freeId(dashboard.panels);
    // Documents where there are some: metrics are Weirflow's own mostly.
    const query = names.length > 0 ? newQuery("search", indexFor(dashboard.panels, names)) : newQuery("promql");
    change({ panels: add(dashboard.panels, newPanel(id, "line", [query])) });
    setPanelId(id);
  };
  const panel = editing ? dashboard.panels.find((one) => one.id === panelId) : undefined;
  const setPanel = (next: Panel) =>
    change({ panels: dashboard.panels.map((one) => (one.id === next.id ? next : one)) });

  const actions = editing ? (
    <>
      {panel ? (
        <Button onClick={() => setPanelId("")}>{t.done}</Button>
      ) : (
        <>
          <Button icon="plus" onClick={addPanel}>
            {t.addPanel}
          </Button>
          <Button look="ghost" icon="settings" onClick={() => setDialog("settings")}>
            {t.settings}
          </Button>
        </>
      )}
      <Button look="ghost" onClick={discard}>
        {t.discard}
      </Button>
      <Button look="primary" disabled={!changed || busy} onClick={() => save()}>
        {busy ? t.saving : t.save}
      </Button>
    </>
  ) : (
    <>
      <TimeControls time={time} />
      {may && (
        <Button look="ghost" icon="edit" onClick={() => setEdit("1")}>
          {t.edit}
        </Button>
      )}
      {kept.shipped && session.may("operator") && (
        <Button look="ghost" icon="copy" title={t.copyHint} onClick={() => setDialog("copy")}>
          {t.copy}
        </Button>
      )}
      <More dashboard={kept} may={session.may("operator")} onCopy={() => setDialog("copy")} />
    </>
  );
  return (
    <Page title={dashboard.title} parent={{ name: t.title, path: "/dashboards" }} actions={actions}>
      {editing && changed && <Notice>{t.kept}</Notice>}
      <VariableBar dashboard={dashboard} values={values} fields={fields} onValue={setValue} />
      {panel ? (
        <PanelEditor
          key={panel.id}
          panel={panel}
          index={indexFor(
            dashboard.panels.filter((one) => one.id !== panel.id),
            names,
          )}
          values={values}
          time={time}
          onPanel={setPanel}
        />
      ) : dashboard.panels.length === 0 ? (
        <Empty
          title={t.emptyPanels}
          action={
            may && (
              <Button
                look="primary"
                icon="plus"
                onClick={() => {
                  setEdit("1");
                  addPanel();
                }}
              >
                {t.addPanel}
              </Button>
            )
          }
        >
          <p>{t.emptyPanelsHint}</p>
        </Empty>
      ) : (
        <Grid
          panels={dashboard.panels}
          values={values}
          time={time}
          {...(editing
            ? {
                editing: {
                  onPanels: (panels) => change({ panels }),
                  onEdit: setPanelId,
                  onDuplicate: (id) => {
                    const from = dashboard.panels.find((one) => one.id === id);
                    if (from) {
                      const copy = { ...from, id: freeId(dashboard.panels) };
                      change({ panels: add(dashboard.panels, copy) });
                    }
                  },
                  onRemove: (id) => {
                    const before = dashboard;
                    change({ panels: dashboard.panels.filter((one) => one.id !== id) });
                    toast({ message: t.panelRemoved, undo: () => setDraft(before) });
                  },
                },
              }
            : {})}
        />
      )}
      {dialog === "settings" && (
        <SettingsDialog
          dashboard={dashboard}
          onClose={() => setDialog(undefined)}
          onApply={(settings) => {
            change(settings);
            setDialog(undefined);
          }}
        />
      )}
      {dialog === "copy" && (
        <NameDialog
          title={t.copyOf(dashboard.title)}
          action={t.copy}
          start={{ ...dashboard, title: t.copyOf(dashboard.title) }}
          onClose={() => setDialog(undefined)}
          onDone={(copy) => {
            drop();
            setDialog(undefined);
            navigate(`/dashboards/${part(copy.name)}?edit=1`);
          }}
        />
      )}
      {conflict && (
        <Conflict
          there={conflict.there}
          onClose={() => setConflict(undefined)}
          onOverwrite={save}
          onTheirs={() => {
            setConflict(undefined);
            leave();
            renew();
            if (!conflict.there) navigate("/dashboards");
          }}
          onCopy={() => {
            setConflict(undefined);
            setDialog("copy");
          }}
        />
      )}
    </Page>
  );
}

function More({ dashboard, may, onCopy }: { dashboard: Dashboard; may: boolean; onCopy: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const renew = useRenew();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const told = (error: unknown) => toast({ message: error instanceof Error ? error.message : String(error) });
  const remove = async () => {
    try {
      await api.delete("/api/v1/dashboards/{name}", { path: { name: dashboard.name } });
      // Only the list: what is gone can't be asked for again.
      void queries.invalidateQueries({ queryKey: ["dashboards"] });
      navigate("/dashboards");
      const undo = () => put({ ...dashboard, version: 0 }).then(renew, told);
      toast({ message: t.removed(dashboard.title), undo });
    } catch (error) {
      told(error);
    }
  };
  const grafana = async () => {
    try {
      const model = await api.get("/api/v1/dashboards/{name}:grafana", { path: { name: dashboard.name } });
      const url = URL.createObjectURL(new Blob([JSON.stringify(model, null, 2)], { type: "application/json" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${dashboard.name}.grafana.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      told(error);
    }
  };
  const items: MenuItem[] = [{ id: "grafana", name: t.grafana, icon: "download", onChoose: grafana }];
  if (may && !dashboard.shipped) {
    items.unshift({ id: "copy", name: t.copy, icon: "copy", onChoose: onCopy });
    items.push({ id: "remove", name: t.remove, icon: "trash", danger: true, onChoose: remove });
  }
  return <Menu label={t.more} icon="more" items={items} />;
}
