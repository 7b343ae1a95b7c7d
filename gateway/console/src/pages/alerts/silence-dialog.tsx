import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { useKept } from "@/app/kept";
import { useText } from "@/i18n";
import { Button, Check, Dialog, Field, IconButton, Input, Notice, Select, useToast } from "@/ui";
import { summaryOf } from "./alert";
import { useAlerts } from "./frame";
import { fromLocal, localTime } from "./local-time";
import { type Matcher, matches, operatorOf, problemOf } from "./matchers";
import { Labels, Severity, useWho } from "./parts";
import { text } from "./silence-text";

export interface SilenceDraft {
  /** id of the silence that is changed; empty for a new one. */
  id: string;
  matchers: Matcher[];
  /** from is when it begins, as in its field; empty for now. */
  from: string;
  until: string;
  author: string;
  reason: string;
}

const QUICK: [string, number][] = [
  ["30m", 30],
  ["1h", 60],
  ["2h", 120],
  ["4h", 240],
  ["8h", 480],
  ["1d", 1440],
  ["1w", 10_080],
];
const OPERATORS = ["=", "!=", "=~", "!~"] as const;

const inMinutes = (minutes: number, from = Date.now()) => localTime(new Date(from + minutes * 60_000));

export function emptySilence(): SilenceDraft {
  return { id: "", matchers: [], from: "", until: inMinutes(120), author: "", reason: "" };
}

/** SilenceDialog makes a silence, or changes one, and shows which alerts it would hold back. */
export function SilenceDialog({ initial, onClose }: { initial: SilenceDraft; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const who = useWho();
  const key = `silence.${initial.id || initial.matchers.map((m) => m.value).join(" ")}`;
  const [draft, setDraft, drop] = useKept<SilenceDraft>(key, () => ({
    ...initial,
    author: initial.author || who.name,
  }));
  const set = (part: Partial<SilenceDraft>) => setDraft({ ...draft, ...part });
  const problem = draftProblem(draft);
  const close = () => {
    drop();
    onClose();
  };
  const save = useChange(
    [["silences"], ["alerts"]],
    () => {
      const starts = fromLocal(draft.from);
      return api.post("/api/v1/silences", {
        body: {
          ...(draft.id ? { id: draft.id } : {}),
          matchers: draft.matchers,
          ...(starts ? { startsAt: starts.toISOString() } : {}),
          endsAt: fromLocal(draft.until)?.toISOString() ?? "",
          createdBy: draft.author.trim(),
          comment: draft.reason.trim(),
        },
      });
    },
    {
      tell: false,
      onDone: () => {
        if (who.asks) who.setName(draft.author);
        toast({ message: t.created });
        close();
      },
    },
  );
  return (
    <Dialog
      broad
      title={draft.id ? t.change : t.create}
      onClose={close}
      foot={
        <>
          {problem && <span className="quiet small grow">{t[problem]}</span>}
          <Button onClick={close}>{t.cancel}</Button>
          <Button look="primary" disabled={problem !== undefined || save.isPending} onClick={() => save.mutate()}>
            {draft.id ? t.saveChange : t.save}
          </Button>
        </>
      }
    >
      <div className="form">
        <Matchers of={draft.matchers} onValue={(matchers) => set({ matchers })} />
        <Preview matchers={draft.matchers} />
        <Times draft={draft} set={set} />
        <div className="form-row">
          <Field label={t.reason}>
            <Input
              value={draft.reason}
              placeholder={t.reasonHint}
              maxLength={1000}
              onChange={(e) => set({ reason: e.target.value })}
            />
          </Field>
          <Field label={t.author}>
            <Input value={draft.author} maxLength={100} onChange={(e) => set({ author: e.target.value })} />
          </Field>
        </div>
        {save.error && <Notice tone="bad">{save.error.message}</Notice>}
      </div>
    </Dialog>
  );
}

function draftProblem(draft: SilenceDraft) {
  const matching = problemOf(draft.matchers);
  if (matching) return matching;
  const until = fromLocal(draft.until)?.getTime() ?? 0;
  if (until <= Date.now() || until <= (fromLocal(draft.from)?.getTime() ?? 0)) return "endBefore";
  if (!draft.reason.trim()) return "needReason";
  if (!draft.author.trim()) return "needAuthor";
  return undefined;
}

function Times({ draft, set }: { draft: SilenceDraft; set: (part: Partial<SilenceDraft>) => void }) {
  const t = useText(text);
  const [later, setLater] = useState(draft.from !== "");
  const base = fromLocal(draft.from)?.getTime();
  return (
    <div className="column">
      <div className="form-row">
        {later && (
          <Field label={t.from}>
            <Input type="datetime-local" value={draft.from} onChange={(e) => set({ from: e.target.value })} />
          </Field>
        )}
        <Field label={t.until}>
          <Input type="datetime-local" value={draft.until} onChange={(e) => set({ until: e.target.value })} />
        </Field>
      </div>
      <div className="row wrap">
        <span className="soft small">{t.duration}</span>
        {QUICK.map(([name, minutes]) => (
          <Button
            key={name}
            small
            aria-pressed={draft.until === inMinutes(minutes, base)}
            onClick={() => set({ until: inMinutes(minutes, base) })}
          >
            {name}
          </Button>
        ))}
        <Check
          label={t.later}
          checked={later}
          onValue={(on) => {
            setLater(on);
            set({ from: on ? localTime(new Date()) : "" });
          }}
        />
      </div>
    </div>
  );
}

function Matchers({ of, onValue }: { of: Matcher[]; onValue: (matchers: Matcher[]) => void }) {
  const t = useText(text);
  const change = (at: number, part: Partial<Matcher>) => onValue(of.map((m, i) => (i === at ? { ...m, ...part } : m)));
  return (
    <fieldset>
      <legend>{t.matchers}</legend>
      <p className="quiet small">{t.matchersHint}</p>
      <div className="pairs">
        {of.map((m, i) => (
          <div key={i} className="pair matcher">
            <Input label={t.label} value={m.name ?? ""} onChange={(e) => change(i, { name: e.target.value })} />
            <Select
              label={t.operator}
              value={operatorOf(m)}
              options={OPERATORS}
              onValue={(op) => change(i, { regexp: op.endsWith("~"), negated: op.startsWith("!") })}
            />
            <Input label={t.value} value={m.value ?? ""} onChange={(e) => change(i, { value: e.target.value })} />
            <IconButton icon="close" label={t.remove} onClick={() => onValue(of.filter((_, j) => j !== i))} />
          </div>
        ))}
      </div>
      <div>
        <Button
          small
          icon="plus"
          onClick={() => onValue([...of, { name: "", value: "", regexp: false, negated: false }])}
        >
          {t.add}
        </Button>
      </div>
    </fieldset>
  );
}

const SHOWN = 5;

/** Preview shows which of the alerts that go on now would be held back. */
function Preview({ matchers }: { matchers: Matcher[] }) {
  const t = useText(text);
  const alerts = useAlerts();
  const all = alerts.data ?? [];
  if (problemOf(matchers)) return null;
  const hit = all.filter((a) => matches(matchers, a.labels ?? {}));
  return (
    <div className="column" role="status">
      <p className="strong">{t.preview(hit.length, all.length)}</p>
      {hit.slice(0, SHOWN).map((a) => (
        <div key={a.fingerprint} className="row wrap small">
          <Severity of={a.labels?.severity} />
          <span className="break">{summaryOf(a)}</span>
          <Labels of={a.labels} />
        </div>
      ))}
      {hit.length > SHOWN && <p className="quiet small">{t.more(hit.length - SHOWN)}</p>}
    </div>
  );
}
