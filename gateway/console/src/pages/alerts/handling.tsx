import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useKept } from "@/app/kept";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Button, Field, Input, useToast } from "@/ui";
import type { Alert } from "./alert";
import { useWho } from "./parts";
import { text } from "./text";

/** Handling is what people do about an alert: acknowledge, assign, comment. */
export function Handling({ alert }: { alert: Alert }) {
  const t = useText(text);
  const { may } = useSession();
  const who = useWho();
  const allowed = may("operator");
  return (
    <section className="section" aria-label={t.handling}>
      <h2>{t.handling}</h2>
      {!allowed && <p className="quiet small">{t.needs}</p>}
      {who.asks && allowed && (
        <Field label={t.you} hint={who.name ? undefined : t.youHint}>
          <Input value={who.name} maxLength={100} onChange={(e) => who.setName(e.target.value)} />
        </Field>
      )}
      <Acknowledge alert={alert} by={who.name} allowed={allowed} />
      <Assign key={alert.handling?.assignee ?? ""} alert={alert} by={who.name} allowed={allowed} />
      <Comment alert={alert} by={who.name} allowed={allowed} />
    </section>
  );
}

interface Doing {
  alert: Alert;
  by: string;
  allowed: boolean;
}

function Acknowledge({ alert, by, allowed }: Doing) {
  const t = useText(text);
  const toast = useToast();
  const fingerprint = alert.fingerprint ?? "";
  const acknowledge = useChange([["alerts"]], (undo: boolean) =>
    api.post("/api/v1/alerts/{fingerprint}:acknowledge", { path: { fingerprint }, body: { by, undo } }),
  );
  const turn = (undo: boolean) =>
    acknowledge.mutate(undo, {
      onSuccess: () =>
        toast({ message: undo ? t.unacknowledged : t.acknowledged, undo: () => acknowledge.mutate(!undo) }),
    });
  const done = alert.handling?.acknowledgedBy;
  return done ? (
    <p className="row wrap between">
      <span>
        {t.acknowledgedBy(done)} · <Ago at={date(alert.handling?.acknowledgedAt)} />
      </span>
      <Button small disabled={!allowed || acknowledge.isPending} onClick={() => turn(true)}>
        {t.unacknowledge}
      </Button>
    </p>
  ) : (
    <p className="row wrap between">
      <span className="soft">{t.notAcknowledged}</span>
      <Button
        look="primary"
        icon="check"
        disabled={!allowed || !by || acknowledge.isPending}
        onClick={() => turn(false)}
      >
        {t.acknowledge}
      </Button>
    </p>
  );
}

function Assign({ alert, by, allowed }: Doing) {
  const t = useText(text);
  const toast = useToast();
  const before = alert.handling?.assignee ?? "";
  const [typed, setTyped] = useState(before);
  const assign = useChange([["alerts"]], (assignee: string) =>
    api.post("/api/v1/alerts/{fingerprint}:assign", {
      path: { fingerprint: alert.fingerprint ?? "" },
      body: { assignee },
    }),
  );
  const give = (assignee: string) =>
    assign.mutate(assignee, {
      onSuccess: () =>
        toast({ message: assignee ? t.assigned(assignee) : t.unassigned, undo: () => assign.mutate(before) }),
    });
  return (
    <form
      className="handling-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (typed.trim() !== before) give(typed.trim());
      }}
    >
      <Field label={t.assignee}>
        <Input
          value={typed}
          placeholder={t.assignHint}
          disabled={!allowed}
          maxLength={100}
          onChange={(e) => setTyped(e.target.value)}
        />
      </Field>
      {by && by !== before && (
        <Button disabled={!allowed || assign.isPending} onClick={() => give(by)}>
          {t.takeIt}
        </Button>
      )}
      <Button type="submit" disabled={!allowed || assign.isPending || typed.trim() === before}>
        {t.assign}
      </Button>
    </form>
  );
}

function Comment({ alert, by, allowed }: Doing) {
  const t = useText(text);
  const fingerprint = alert.fingerprint ?? "";
  const [typed, setTyped, drop] = useKept(`comment.${fingerprint}`, () => "");
  const comment = useChange(
    [["alerts"]],
    (written: string) =>
      api.post("/api/v1/alerts/{fingerprint}:comment", { path: { fingerprint }, body: { by, text: written } }),
    {
      onDone: () => {
        setTyped("");
        drop();
      },
    },
  );
  return (
    <form
      className="handling-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (typed.trim() && by) comment.mutate(typed.trim());
      }}
    >
      <Field label={t.comment}>
        <Input
          value={typed}
          placeholder={t.commentHint}
          disabled={!allowed}
          maxLength={2000}
          onChange={(e) => setTyped(e.target.value)}
        />
      </Field>
      <Button type="submit" disabled={!allowed || !by || !typed.trim() || comment.isPending}>
        {t.send}
      </Button>
    </form>
  );
}
