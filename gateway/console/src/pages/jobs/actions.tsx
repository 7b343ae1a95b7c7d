import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { bytes, whole } from "@/format";
import { useText } from "@/i18n";
import { Button, Confirm, Dialog, Field, Input, Menu, Notice, useToast } from "@/ui";
import { isActive, type Job, stateBytes } from "./state";
import { text } from "./text";

export const NAME = /^[A-Za-z0-9._-]{1,100}$/;

/** savepointName offers a name for a savepoint that is kept now. */
export function savepointName(): string {
  return `before-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}`;
}

/** useJobChange runs a change of a job and looks at the job again afterwards. */
export function useJobChange() {
  const queries = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: async (change: { run: () => Promise<unknown>; done: string; undo?: () => void }) => {
      await change.run();
      return change;
    },
    onSuccess: ({ done, undo }) => toast(undo ? { message: done, undo } : { message: done }),
    onError: (error) => toast({ message: error.message }),
    onSettled: () => queries.invalidateQueries(),
  });
}

type Asking = "delete" | "scratch" | "savepoint";

/** JobActions start, stop and delete a job. */
export function JobActions({ job, onSavepoints }: { job: Job; onSavepoints: () => void }) {
  const t = useText(text);
  const name = job.name ?? "";
  const may = useSession().may("operator");
  const [asking, setAsking] = useState<Asking>();
  const change = useJobChange();
  const active = isActive(job);
  const start = () =>
    change.mutate({
      run: () => api.post("/api/v1/jobs/{name}:start", { path: { name }, body: {} }),
      done: t.startedToast(name),
    });
  const stop = () =>
    change.mutate({
      run: () => api.post("/api/v1/jobs/{name}:stop", { path: { name }, body: {} }),
      done: t.stoppedToast(name),
      undo: start,
    });
  const state = bytes(stateBytes(job));
  const close = () => setAsking(undefined);
  return (
    <>
      <Button
        icon={active ? "stop" : "play"}
        look={active ? "plain" : "primary"}
        disabled={!may || change.isPending}
        title={may ? undefined : t.needsOperator}
        onClick={active ? stop : start}
      >
        {active ? t.stop : t.start}
      </Button>
      {may && (
        <Menu
          label={t.more}
          icon="more"
          items={[
            ...(active
              ? [{ id: "savepoint", name: t.stopSavepoint, onChoose: () => setAsking("savepoint") }]
              : [
                  { id: "from", name: t.startSavepoint, onChoose: onSavepoints },
                  { id: "scratch", name: t.startScratch, onChoose: () => setAsking("scratch") },
                ]),
            { id: "delete", name: t.delete, danger: true, onChoose: () => setAsking("delete") },
          ]}
        />
      )}
      {asking === "delete" && <DeleteJob job={job} state={state} onClose={close} />}
      {asking === "scratch" && (
        <Confirm
          title={t.scratchTitle(name)}
          action={t.scratchAction}
          typed={name}
          onClose={close}
          onConfirm={() => {
            close();
            change.mutate({
              run: () => api.post("/api/v1/jobs/{name}:start", { path: { name }, body: { fromScratch: true } }),
              done: t.startedToast(name),
            });
          }}
        >
          <p>{t.scratchLoses(state)}</p>
        </Confirm>
      )}
      {asking === "savepoint" && <StopWithSavepoint name={name} onClose={close} />}
    </>
  );
}

/** DeleteJob asks before a job goes, and says what goes with it. */
function DeleteJob({ job, state, onClose }: { job: Job; state: string; onClose: () => void }) {
  const t = useText(text);
  const name = job.name ?? "";
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const toast = useToast();
  const letters = useQuery({
    queryKey: ["job", name, "letters"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs/{job}/deadletters:count", { path: { job: name }, signal }),
  });
  const savepoints = useQuery({
    queryKey: ["job", name, "savepoints"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs/{job}/savepoints", { path: { job: name }, signal }),
  });
  const versions = useQuery({
    queryKey: ["job", name, "versions"],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/jobs/{job}/versions", { path: { job: name }, signal })).versions ?? [],
  });
  const versionsText = versions.data ? whole(versions.data.length) : "…";
  const lettersText = letters.data ? whole(num(letters.data.open)) : "…";
  const savepointsText = savepoints.data ? whole(savepoints.data.savepoints?.length ?? 0) : "…";
  const remove = useMutation({
    mutationFn: () => api.delete("/api/v1/jobs/{name}", { path: { name } }),
    onSuccess: () => {
      toast({ message: t.deletedToast(name) });
      navigate("/jobs");
      queries.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  return (
    <Confirm
      title={t.deleteTitle(name)}
      action={t.deleteAction}
      typed={name}
      busy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      <p>{t.deleteLoses(state, versionsText)}</p>
      <p className="soft">{t.deleteStays(lettersText, savepointsText)}</p>
      {remove.error && <Notice tone="bad">{remove.error.message}</Notice>}
    </Confirm>
  );
}

function StopWithSavepoint({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useText(text);
  const [savepoint, setSavepoint] = useState(savepointName);
  const change = useJobChange();
  const valid = NAME.test(savepoint);
  const run = () =>
    change.mutate(
      {
        run: () => api.post("/api/v1/jobs/{name}:stop", { path: { name }, body: { savepoint } }),
        done: `${t.stoppedToast(name)} · ${t.savepointToast(savepoint)}`,
      },
      { onSuccess: onClose },
    );
  return (
    <Dialog
      title={t.savepointTitle}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!valid || change.isPending} onClick={run}>
            {t.stop}
          </Button>
        </>
      }
    >
      <p className="soft">{t.savepointHint}</p>
      <Field label={t.savepointName} hint={t.nameRule}>
        <Input value={savepoint} onChange={(e) => setSavepoint(e.target.value)} aria-invalid={!valid} />
      </Field>
      {change.error && <Notice tone="bad">{change.error.message}</Notice>}
    </Dialog>
  );
}
