import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSession } from "@/api/session";
import { useText } from "@/i18n";
import { type Catalog, choicesAt } from "@/sql/complete";
import { Badge, Button, CodeEditor, Empty, Icon, Menu, Tabs } from "@/ui";
import type { EditorHandle } from "@/ui/editor";
import { type Problem, type Refusal, useCatalog, useCheck } from "./check";
import { PlanGraph } from "./graph";
import { Parameters } from "./parameters";
import { readPlan } from "./plan";
import { PreviewPanel, usePreview } from "./preview";
import { CompatibilityNotice, ReplaceDialog } from "./replace";
import type { Job } from "./state";
import { useTarget } from "./target";
import { TestPanel } from "./tests";
import { text } from "./text";

/** Draft is what the editor holds: statements and parameters, as rows that one may be typing in. */
export interface Draft {
  sql: string;
  parameters: [string, string][];
}

export function draftOf(job: { sql: string; parameters: Record<string, string> }): Draft {
  return { sql: job.sql, parameters: Object.entries(job.parameters).sort(([a], [b]) => a.localeCompare(b)) };
}

type Panel = "preview" | "problems" | "plan" | "state" | "parameters" | "tests";

/** Workbench is the editor with what comes of the statements below it. */
export function Workbench({
  job,
  draft,
  changed,
  onDraft,
  onSaved,
  beside,
  refusal,
}: {
  /** job is the one that is edited; without it a new one is written. */
  job?: Job;
  draft: Draft;
  changed: boolean;
  onDraft: (draft: Draft | undefined) => void;
  onSaved?: () => void;
  /** beside stands in the bar: the name and the buttons of a new job. */
  beside?: (valid: boolean, problem: string | undefined) => React.ReactNode;
  /** refusal is why a new job was not created. */
  refusal?: Refusal;
}) {
  const t = useText(text);
  const may = useSession().may("operator");
  const [panel, setPanel] = useState<Panel>("preview");
  const [replacing, setReplacing] = useState(false);
  const handle = useRef<EditorHandle>(null);
  const check = useCheck(draft, job?.name, refusal);
  const catalog = useCatalog(draft);
  const preview = usePreview(draft, job?.name);
  const complete = useCompletion(catalog);
  const target = useTarget(draft, onDraft, () => setPanel("problems"));
  useEffect(() => {
    if (refusal) setPanel("problems");
  }, [refusal]);
  const marks = useMemo(
    () =>
      check.problems
        .filter((p) => p.line > 0)
        .map((p) => ({
          line: p.line,
          column: p.column,
          message: p.hint ? `${p.message}\n${p.hint}` : p.message,
          severity: p.unfinished ? ("warning" as const) : ("error" as const),
        })),
    [check.problems],
  );
  const run = () => {
    setPanel("preview");
    preview.run(handle.current?.selected());
  };
  const validate = () => {
    setPanel("problems");
    check.check();
  };
  const valid = check.answer?.valid === true && check.problems.length === 0 && !check.checking;
  // Without much to show below, the statements have the height.
  const room = panel === "preview" ? preview.asked && preview.columns.length > 0 : panel !== "problems";
  const nodes = useMemo(() => readPlan(check.answer?.planJson), [check.answer]);
  return (
    <div className="bench">
      <div className="toolbar">
        <Button icon="play" onClick={run} title={`${t.previewHint} (Ctrl/⌘ Enter)`}>
          {t.preview}
        </Button>
        <Button icon="check" onClick={validate} title="Ctrl/⌘ Shift Enter">
          {t.validate}
        </Button>
        <Menu
          start
          label={t.writeToHint}
          name={
            <>
              {t.writeTo} <Icon name="down" size={12} />
            </>
          }
          items={[
            { id: "index", name: t.toIndex, onChoose: () => target("index") },
            { id: "topic", name: t.toTopic, onChoose: () => target("topic") },
            { id: "alert", name: t.toAlert, onChoose: () => target("alert") },
          ]}
        />
        <span className="grow" />
        {beside?.(valid, check.problems[0]?.message)}
        {job && (
          <>
            {changed ? (
              <>
                <Badge tone="accent">{t.changed}</Badge>
                <Button look="ghost" onClick={() => onDraft(undefined)}>
                  {t.revert}
                </Button>
              </>
            ) : (
              <span className="quiet">{t.saved}</span>
            )}
            <Button
              look="primary"
              disabled={!changed || !valid || !may}
              title={may ? check.problems[0]?.message : t.needsOperator}
              onClick={() => setReplacing(true)}
            >
              {t.replace}
            </Button>
          </>
        )}
      </div>
      <div className="bench-editor">
        <CodeEditor
          label={t.editorLabel}
          value={draft.sql}
          onValue={(sql) => onDraft({ ...draft, sql })}
          marks={marks}
          complete={complete}
          keys={{ "Mod-Enter": run, "Mod-Shift-Enter": validate }}
          handle={handle}
        />
      </div>
      <div className={`bench-results ${room ? "" : "low"}`}>
        <Tabs
          label={t.results}
          value={panel}
          onValue={(id) => setPanel(id as Panel)}
          tabs={[
            { id: "preview", name: t.preview, count: preview.rows.length || undefined },
            { id: "problems", name: t.problems, count: check.problems.length || undefined },
            { id: "plan", name: t.planTab },
            ...(job ? [{ id: "state", name: t.compatibility }] : []),
            { id: "parameters", name: t.parameters, count: draft.parameters.length || undefined },
            { id: "tests", name: t.tests },
          ]}
        />
        <div className="bench-panel">
          {panel === "preview" && <PreviewPanel preview={preview} onRun={run} />}
          {panel === "problems" && (
            <Problems
              problems={check.problems}
              checking={check.checking}
              error={check.error}
              onTarget={() => target("index")}
              onGo={(p) => handle.current?.goTo(p.line, p.column)}
            />
          )}
          {panel === "plan" &&
            (nodes.length > 0 ? (
              <PlanGraph nodes={nodes} operators={[]} at={0} />
            ) : (
              <Empty inline title={t.planNone} />
            ))}
          {panel === "state" && <CompatibilityNotice answer={check.answer} />}
          {panel === "parameters" && (
            <Parameters value={draft.parameters} onValue={(parameters) => onDraft({ ...draft, parameters })} />
          )}
          {panel === "tests" && <TestPanel draft={draft} name={job?.name ?? ""} />}
        </div>
      </div>
      {replacing && job && (
        <ReplaceDialog
          job={job}
          draft={draft}
          answer={check.answer}
          onClose={() => setReplacing(false)}
          onSaved={() => {
            setReplacing(false);
            onSaved?.();
          }}
        />
      )}
    </div>
  );
}

function useCompletion(catalog: Catalog) {
  return useMemo(
    () =>
      (context: CompletionContext): CompletionResult | null => {
        const found = choicesAt(context.state.doc.toString(), context.pos, catalog);
        if (!found || (!context.explicit && found.from === context.pos && !isAfterDotOrQuote(context))) return null;
        return {
          from: found.from,
          options: found.choices.map((choice) => ({
            label: choice.label,
            boost: choice.boost,
            ...(choice.apply ? { apply: choice.apply } : {}),
            ...(choice.detail ? { detail: choice.detail } : {}),
          })),
          validFor: /^[\w`@$.-]*$/,
        };
      },
    [catalog],
  );
}

function isAfterDotOrQuote(context: CompletionContext): boolean {
  return /[.']$/.test(context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos));
}

function Problems({
  problems,
  checking,
  error,
  onGo,
  onTarget,
}: {
  problems: Problem[];
  checking: boolean;
  error: unknown;
  onGo: (problem: Problem) => void;
  /** onTarget writes what is missing: a table to insert into. */
  onTarget: () => void;
}) {
  const t = useText(text);
  if (error) return <p className="bad">{error instanceof Error ? error.message : String(error)}</p>;
  if (problems.length === 0) return <p className="quiet">{checking ? t.checking : t.noProblems}</p>;
  return (
    <ul className="column">
      {problems.map((problem, i) => (
        <li key={i} className="bench-problem">
          <span className={problem.unfinished ? "late" : "bad"}>
            <Icon name="warn" size={14} />
          </span>
          {problem.line > 0 ? (
            <button type="button" className="link num" onClick={() => onGo(problem)}>
              {t.line(problem.line, problem.column)}
            </button>
          ) : (
            <span />
          )}
          <span className="break">
            {problem.message}
            {problem.hint && <span className="quiet"> — {problem.hint}</span>}
            {problem.unfinished && (
              <Button small className="bench-mend" icon="plus" onClick={onTarget}>
                {t.insertTarget}
              </Button>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
