import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useState } from "react";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { Badge, Button, Check, Dialog, Field, Input, Notice, useToast } from "@/ui";
import { NAME, savepointName } from "./actions";
import { record } from "./check";
import { isActive, type Job } from "./state";
import { text } from "./text";
import type { Draft } from "./workbench";

type Answer = Schema<"ValidateJobResponse">;

/** useVerdict puts in words what would become of a job's state. */
function useVerdict(effect: Schema<"Effect"> | undefined) {
  const t = useText(text);
  switch (effect) {
    case "EFFECT_COMPATIBLE":
      return { title: t.effectCompatible, hint: t.effectCompatibleHint, tone: undefined };
    case "EFFECT_REBUILD":
      return { title: t.effectRebuild, hint: t.effectRebuildHint, tone: "late" as const };
    case "EFFECT_INCOMPATIBLE":
      return { title: t.effectIncompatible, hint: t.effectIncompatibleHint, tone: "bad" as const };
    default:
      return { title: t.effectNone, hint: t.effectNoneHint, tone: undefined };
  }
}

/** CompatibilityNotice says whether changed statements take the state on, and why not. */
export function CompatibilityNotice({ answer }: { answer: Answer | undefined }) {
  const verdict = useVerdict(answer?.effect);
  return (
    <div className="column">
      <Notice tone={verdict.tone}>
        <strong>{verdict.title}.</strong> {verdict.hint}
      </Notice>
      <ul className="column">
        {(answer?.changes ?? []).map((change, i) => (
          <Change key={i} change={change} />
        ))}
      </ul>
    </div>
  );
}

function Change({ change }: { change: Schema<"Change"> }) {
  const verdict = useVerdict(change.effect);
  return (
    <li className="row wrap">
      <Badge tone={verdict.tone}>{verdict.title}</Badge>
      <span className="mono break">{change.operator}</span>
      <span className="soft break">{change.reason}</span>
    </li>
  );
}

/** ReplaceDialog saves changed statements: with what that does to the state, and a way back. */
export function ReplaceDialog({
  job,
  draft,
  answer,
  onClose,
  onSaved,
}: {
  job: Job;
  draft: Draft;
  answer: Answer | undefined;
  onClose: () => void;
  onSaved: () => void;
}) {
  const t = useText(text);
  const name = job.name ?? "";
  const toast = useToast();
  const queries = useQueryClient();
  const scratch = answer?.effect === "EFFECT_INCOMPATIBLE";
  const hasState = answer?.effect !== "EFFECT_NONE" && answer?.effect !== "EFFECT_UNSPECIFIED";
  const [keep, setKeep] = useState(hasState && answer?.effect !== "EFFECT_COMPATIBLE");
  const [savepoint, setSavepoint] = useState(savepointName);
  const [start, setStart] = useState(isActive(job) || job.running === true);
  const [typed, setTyped] = useState("");
  const save = useMutation({
    mutationFn: async () => {
      if (keep) await api.post("/api/v1/jobs/{job}/savepoints", { path: { job: name }, body: { name: savepoint } });
      const fromScratch = scratch && start;
      const parameters = record(draft);
      await api.post("/api/v1/jobs", {
        body: { name, sql: draft.sql, parameters, replace: true, start: start && !fromScratch },
      });
      if (fromScratch) await api.post("/api/v1/jobs/{name}:start", { path: { name }, body: { fromScratch: true } });
    },
    onSuccess: () => {
      toast({ message: t.savedToast(name) });
      queries.invalidateQueries();
      onSaved();
    },
  });
  const confirmed = !(scratch && start) || typed === name;
  const ready = !save.isPending && confirmed && (!keep || NAME.test(savepoint));
  return (
    <Dialog
      title={t.replaceTitle(name)}
      broad
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look={scratch && start ? "danger" : "primary"} disabled={!ready} onClick={() => save.mutate()}>
            {scratch && start ? t.replaceScratch : t.replaceAction}
          </Button>
        </>
      }
    >
      <CompatibilityNotice answer={answer} />
      <div className="column">
        <Check label={t.replaceFirst} checked={keep} onValue={setKeep} />
        {keep && (
          <Field label={t.savepointName} hint={t.nameRule}>
            <Input value={savepoint} onChange={(e) => setSavepoint(e.target.value)} />
          </Field>
        )}
        <Check label={t.replaceStart} checked={start} onValue={setStart} />
        {scratch && start && (
          <Field label={`${t.name}: ${name}`}>
            <Input value={typed} onChange={(e) => setTyped(e.target.value)} placeholder={name} />
          </Field>
        )}
      </div>
      {save.error && <Notice tone="bad">{save.error.message}</Notice>}
    </Dialog>
  );
}
