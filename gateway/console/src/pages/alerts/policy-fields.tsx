import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { CodeEditor, Field, Input, Select } from "@/ui";
import { fieldsOf } from "./from-lines";
import { Pairs } from "./pairs";
import {
  COMPARISONS,
  type Comparison,
  FUNCTIONS,
  KINDS,
  type PolicyDraft,
  type Problem,
  type Problems,
  SEVERITIES,
} from "./policy";
import { text } from "./policy-text";

interface Props {
  draft: PolicyDraft;
  onValue: (draft: PolicyDraft) => void;
  problems: Problems;
}

const WORDS: Record<Problem, "needed" | "problem_name" | "number" | "whole_number" | "duration" | "label" | "range"> = {
  needed: "needed",
  name: "problem_name",
  number: "number",
  whole: "whole_number",
  duration: "duration",
  label: "label",
  range: "range",
};

/** PolicyFields are what one types of a policy. */
export function PolicyFields({ draft, onValue, problems, fixedName }: Props & { fixedName: boolean }) {
  const t = useText(text);
  const set = (part: Partial<PolicyDraft>) => onValue({ ...draft, ...part });
  const props = { draft, onValue, problems };
  return (
    <>
      <div className="form-row">
        <Typed {...props} of="name" label={t.name} hint={t.nameHint} disabled={fixedName} autoFocus={!fixedName} />
        <Field label={t.severity}>
          <Input
            value={draft.severity}
            list="policy-severities"
            maxLength={100}
            onChange={(e) => set({ severity: e.target.value })}
          />
        </Field>
        <datalist id="policy-severities">
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity} />
          ))}
        </datalist>
      </div>
      <fieldset>
        <legend>{t.condition}</legend>
        <div className="kinds" role="radiogroup" aria-label={t.kind}>
          {KINDS.map((kind) => (
            <label key={kind} className={draft.kind === kind ? "kind chosen" : "kind"}>
              <input
                type="radio"
                name="kind"
                checked={draft.kind === kind}
                onChange={() => set({ kind, ...(kind === "anomaly" ? { function: "avg", window: "1h" } : {}) })}
              />
              <span className="strong">{t[kind]}</span>
              <span className="small quiet">{t[`${kind}Hint`]}</span>
            </label>
          ))}
        </div>
        <Condition {...props} />
      </fieldset>
      {draft.kind !== "logPattern" && (
        <div className="form-row">
          <Typed {...props} of="for" label={t.forLabel} hint={t.forHint} />
          <Typed {...props} of="keep" label={t.keep} hint={t.keepHint} />
        </div>
      )}
      <fieldset>
        <legend>{t.annotations}</legend>
        <p className="quiet small">{t.annotationsHint}</p>
        <Pairs
          of={draft.annotations}
          texts={t}
          names={["summary", "description", "runbook_url"]}
          onValue={(annotations) => set({ annotations })}
        />
      </fieldset>
      <fieldset>
        <legend>{t.labels}</legend>
        <p className="quiet small">{t.labelsHint}</p>
        <Pairs of={draft.labels} texts={t} onValue={(labels) => set({ labels })} />
        {problems.labels && <p className="bad small">{t[WORDS[problems.labels]]}</p>}
      </fieldset>
    </>
  );
}

type TextField = { [K in keyof PolicyDraft]: PolicyDraft[K] extends string ? K : never }[keyof PolicyDraft];

/** Typed is one field, with what is wrong with it below. */
function Typed({
  draft,
  onValue,
  problems,
  of,
  label,
  hint,
  ...rest
}: Props & {
  of: TextField;
  label: string;
  hint?: ReactNode;
  list?: string;
  disabled?: boolean;
  autoFocus?: boolean;
  inputMode?: "decimal" | "numeric";
  className?: string;
}) {
  const t = useText(text);
  const problem = problems[of];
  return (
    <Field label={label} hint={problem ? <span className="bad">{t[WORDS[problem]]}</span> : hint}>
      <Input
        value={draft[of]}
        aria-invalid={problem !== undefined}
        onChange={(e) => onValue({ ...draft, [of]: e.target.value })}
        {...rest}
      />
    </Field>
  );
}

function Condition(props: Props) {
  const t = useText(text);
  const { draft, onValue, problems } = props;
  const set = (part: Partial<PolicyDraft>) => onValue({ ...draft, ...part });
  const compared = (
    <>
      <Field label={t.comparison}>
        <Select
          value={draft.comparison}
          options={Object.entries(COMPARISONS).map(([value, name]) => ({ value, name }))}
          onValue={(value) => set({ comparison: value as Comparison })}
        />
      </Field>
      <Typed {...props} of="value" label={draft.kind === "ratio" ? t.ratioValue : t.value} inputMode="decimal" />
    </>
  );
  const called = (
    <Field label={t.function}>
      <Select value={draft.function} options={FUNCTIONS} onValue={(value) => set({ function: value })} />
    </Field>
  );
  const window = <Typed {...props} of="window" label={t.window} />;
  switch (draft.kind) {
    case "threshold":
      return (
        <>
          <Metric {...props} of="series" label={t.series} hint={t.seriesHint} />
          <div className="form-row narrow">
            {called}
            {window}
            {compared}
          </div>
          <Typed {...props} of="by" label={t.by} hint={t.byHint} />
        </>
      );
    case "ratio":
      return (
        <>
          <Metric {...props} of="part" label={t.part} hint={t.seriesHint} />
          <Metric {...props} of="whole" label={t.whole} />
          <div className="form-row narrow">
            {window}
            {compared}
          </div>
          <Typed {...props} of="by" label={t.by} hint={t.byHint} />
        </>
      );
    case "absence":
      return (
        <>
          <Metric {...props} of="series" label={t.series} hint={t.seriesHint} />
          {window}
        </>
      );
    case "anomaly":
      return (
        <>
          <Metric {...props} of="series" label={t.series} hint={t.seriesHint} />
          <div className="form-row narrow">
            {called}
            {window}
            <Typed {...props} of="days" label={t.days} hint={t.daysHint} inputMode="numeric" />
            <Typed {...props} of="deviations" label={t.deviations} hint={t.deviationsHint} inputMode="decimal" />
            <Typed {...props} of="atLeast" label={t.atLeast} hint={t.atLeastHint} inputMode="decimal" />
          </div>
        </>
      );
    case "logPattern":
      return <LogPattern {...props} />;
    default:
      return (
        <div className="field">
          <span className="field-label">{t.expr}</span>
          <div className="policy-expr">
            <CodeEditor
              language="text"
              label={t.expr}
              value={draft.expr}
              placeholder='sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) > 1'
              minHeight={96}
              onValue={(expr) => set({ expr })}
            />
          </div>
          {problems.expr && <span className="bad small">{t.needed}</span>}
        </div>
      );
  }
}

/** Metric is a field for a series, with the names of metrics that there are. */
function Metric(props: Props & { of: "series" | "part" | "whole"; label: string; hint?: ReactNode }) {
  const typed = props.draft[props.of];
  const match = /^[a-zA-Z_:][\w:]*$/.test(typed) ? typed : "";
  const metrics = useQuery({
    queryKey: ["metrics", "names", match],
    queryFn: ({ signal }) => api.get("/api/v1/metrics", { query: { match, limit: 200 }, signal }),
    staleTime: 60_000,
    retry: false,
  });
  const id = `policy-metrics-${props.of}`;
  return (
    <>
      <Typed {...props} list={id} className="mono" />
      <datalist id={id}>
        {metrics.data?.metrics?.map((m) => (
          <option key={m.name} value={m.name} label={m.help ?? ""} />
        ))}
      </datalist>
    </>
  );
}

function LogPattern(props: Props) {
  const t = useText(text);
  const { draft, onValue } = props;
  const topics = useQuery({
    queryKey: ["topics", false],
    queryFn: ({ signal }) => api.get("/api/v1/topics", { signal }),
    staleTime: 30_000,
    retry: false,
  });
  const typed = draft.topic.trim();
  const fields = useTopicFields(topics.data?.topics?.some((topic) => topic.name === typed) ? typed : "");
  const before = draft.by.replace(/[^,\s]*$/, "");
  return (
    <>
      <div className="form-row">
        <Typed {...props} of="topic" label={t.topic} list="policy-topics" />
        <Typed {...props} of="field" label={t.field} hint={t.fieldHint} list="policy-fields" className="mono" />
        <datalist id="policy-topics">
          {topics.data?.topics?.map((topic) => (
            <option key={topic.name} value={topic.name} />
          ))}
        </datalist>
      </div>
      <div className="form-row">
        <Field label={t.how}>
          <Select
            value={draft.how}
            options={[
              { value: "contains", name: t.contains },
              { value: "regexp", name: t.regexp },
            ]}
            onValue={(how) => onValue({ ...draft, how: how === "regexp" ? "regexp" : "contains" })}
          />
        </Field>
        <Typed {...props} of="pattern" label={t.pattern} className="mono" />
      </div>
      <div className="form-row narrow">
        <Typed {...props} of="count" label={t.count} hint={t.countHint} inputMode="numeric" />
        <Typed {...props} of="within" label={t.within} />
        <Typed {...props} of="resolveAfter" label={t.resolveAfter} hint={t.resolveHint} />
      </div>
      <Typed {...props} of="by" label={t.logBy} hint={t.logByHint} list="policy-by" className="mono" />
      <datalist id="policy-fields">
        {fields.map((field) => (
          <option key={field} value={field} />
        ))}
      </datalist>
      <datalist id="policy-by">
        {fields.map((field) => (
          <option key={field} value={before + field} />
        ))}
      </datalist>
    </>
  );
}

/** useTopicFields are the fields that the last messages of a topic have. */
function useTopicFields(topic: string): string[] {
  const messages = useQuery({
    queryKey: ["policy-fields", topic],
    enabled: topic !== "",
    queryFn: ({ signal }) =>
      api.get("/api/v1/topics/{topic}/messages", {
        path: { topic },
        query: { "start.last": "50", pageSize: 50 },
        signal,
      }),
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => fieldsOf((messages.data?.messages ?? []).flatMap((m) => m.text || [])), [messages.data]);
}
