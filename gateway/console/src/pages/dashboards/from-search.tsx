import { useState } from "react";
import { useLocation } from "wouter";
import { part } from "@/app/url";
import { useText } from "@/i18n";
import { Button, Dialog, Notice } from "@/ui";
import { add } from "./layout";
import { type Dashboard, dashboardOf, freeId, newPanel, newQuery, type Panel, type Search } from "./model";
import { NameDialog, put, useRenew } from "./save";
import { text } from "./text";

/** panelOfSearch is the panel of a search: how many documents it finds, over the time. */
export function panelOfSearch(index: string, query: string, panels: readonly Panel[]): Panel {
  const search: Search = { ...(newQuery("search", index) as Search), query };
  return { ...newPanel(freeId(panels), "line", [search]), title: query || index };
}

/** FromSearch asks which dashboard gets the panel of a search, and opens it there. */
export function FromSearch({
  index,
  query,
  range,
  dashboards,
  onClose,
}: {
  index: string;
  query: string;
  /** range is how far back a new dashboard looks. */
  range: string;
  /** dashboards are one's own: those that are shipped can't be changed. */
  dashboards: readonly Dashboard[];
  onClose: () => void;
}) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const renew = useRenew();
  const [making, setMaking] = useState(dashboards.length === 0);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const open = (name: string, panel: Panel) => navigate(`/dashboards/${part(name)}?edit=1&panel=${part(panel.id)}`);
  const into = async (dashboard: Dashboard) => {
    setBusy(true);
    try {
      const panel = panelOfSearch(index, query, dashboard.panels);
      await put({ ...dashboard, panels: add(dashboard.panels, panel) });
      renew();
      open(dashboard.name, panel);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  if (making) {
    const panel = panelOfSearch(index, query, []);
    return (
      <NameDialog
        title={t.newOne}
        action={t.create}
        start={{ ...dashboardOf({}), title: query || index, range, panels: add([], panel) }}
        onClose={onClose}
        onDone={(kept) => open(kept.name, panel)}
      />
    );
  }
  return (
    <Dialog title={t.panelInto} onClose={onClose} foot={<Button onClick={onClose}>{t.cancel}</Button>}>
      <div className="column">
        {problem && <Notice tone="bad">{problem}</Notice>}
        {dashboards.map((one) => (
          <Button key={one.name} disabled={busy} onClick={() => into(one)}>
            {one.title}
          </Button>
        ))}
        <Button look="primary" icon="plus" disabled={busy} onClick={() => setMaking(true)}>
          {t.newOne}
        </Button>
      </div>
    </Dialog>
  );
}
