import { useQueryClient } from "@tanstack/react-query";
import { ApiError, Code, type Schema } from "@weirflow/sdk";
import { useState } from "react";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { useText } from "@/i18n";
import { Button, Dialog, Field, Input, Notice } from "@/ui";
import { type Dashboard, dashboardOf, nameOf, schemaOf } from "./model";
import { text } from "./text";

/** put keeps a dashboard; it answers what is kept. */
export async function put(dashboard: Dashboard): Promise<Dashboard> {
  const answer = await api.put("/api/v1/dashboards/{name}", {
    path: { name: dashboard.name },
    body: schemaOf(dashboard),
  });
  return dashboardOf(answer.dashboard ?? {});
}

/** isConflict tells that somebody else changed the dashboard meanwhile. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.code === Code.ABORTED || error.code === Code.ALREADY_EXISTS);
}

/** theirs is what is there now: undefined if it was deleted. */
export async function theirs(name: string): Promise<Schema<"Dashboard"> | undefined> {
  try {
    return (await api.get("/api/v1/dashboards/{name}", { path: { name } })).dashboard;
  } catch (error) {
    if (error instanceof ApiError && error.code === Code.NOT_FOUND) return undefined;
    throw error;
  }
}

/** useRenew asks for the dashboards anew: after a change. */
export function useRenew() {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: ["dashboards"] });
    void queries.invalidateQueries({ queryKey: ["dashboard"] });
  };
}

/** Conflict lets one choose which of two dashboards stays. */
export function Conflict({
  there,
  onOverwrite,
  onTheirs,
  onCopy,
  onClose,
}: {
  there: Schema<"Dashboard"> | undefined;
  /** onOverwrite saves mine over the version that is there; 0 makes it anew. */
  onOverwrite: (version: number) => void;
  onTheirs: () => void;
  onCopy: () => void;
  onClose: () => void;
}) {
  const t = useText(text);
  return (
    <Dialog title={t.conflict} onClose={onClose}>
      <p>{there ? t.conflictBody(there.updatedBy || t.somebody, String(num(there.version))) : t.deletedMeanwhile}</p>
      <div className="column">
        <Button look="danger" onClick={() => onOverwrite(num(there?.version))}>
          {there ? t.overwrite : t.save}
        </Button>
        <Button onClick={onTheirs}>{there ? t.takeTheirs : t.discard}</Button>
        {there && <Button onClick={onCopy}>{t.saveCopy}</Button>}
        <Button look="ghost" onClick={onClose}>
          {t.cancel}
        </Button>
      </div>
    </Dialog>
  );
}

/** NameDialog asks for a title and a name, and keeps a dashboard under them. */
export function NameDialog({
  title,
  action,
  start,
  onDone,
  onClose,
}: {
  title: string;
  action: string;
  /** start is what is kept, but for its title and name. */
  start: Dashboard;
  onDone: (kept: Dashboard) => void;
  onClose: () => void;
}) {
  const t = useText(text);
  const renew = useRenew();
  const [now] = useState(() => new Date());
  const [typed, setTyped] = useState(start.title);
  const [own, setOwn] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const name = own ?? nameOf(typed, now);
  const keep = async () => {
    setBusy(true);
    try {
      const kept = await put({ ...start, title: typed.trim(), name, version: 0, shipped: false });
      renew();
      onDone(kept);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  const ready = typed.trim() !== "" && name !== "" && !busy;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!ready} onClick={keep}>
            {action}
          </Button>
        </>
      }
    >
      <Field label={t.dashboardTitle}>
        <Input
          autoFocus
          value={typed}
          onChange={(e) => setTyped(e.target.value)}
          onKeyDown={(e) => e.key === "Enter" && ready && keep()}
        />
      </Field>
      <Field label={t.dashboardName} hint={t.nameHint}>
        <Input
          value={name}
          onChange={(e) => setOwn(e.target.value)}
          onKeyDown={(e) => e.key === "Enter" && ready && keep()}
        />
      </Field>
      {problem && <Notice tone="bad">{problem}</Notice>}
    </Dialog>
  );
}
