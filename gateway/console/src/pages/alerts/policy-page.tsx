import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { useKept } from "@/app/kept";
import { part } from "@/app/url";
import { useText } from "@/i18n";
import { Badge, Button, Failed, Notice, QueryView, useToast } from "@/ui";
import { Frame } from "./frame";
import { draftOfLines, linesOfUrl } from "./from-lines";
import { PolicyMenu, put } from "./policies";
import { draftOf, emptyDraft, kindOf, type Policy, type PolicyDraft, policyOf, problemsOf } from "./policy";
import { PolicyFields } from "./policy-fields";
import { Past } from "./policy-past";
import { text } from "./policy-text";

/** NewPolicy writes a policy; the URL may say over which lines. */
export function NewPolicy() {
  const lines = linesOfUrl(new URLSearchParams(useSearch()));
  const begun = lines ? draftOfLines(lines) : emptyDraft();
  const kept = lines ? `policy?${JSON.stringify(lines)}` : "policy";
  return <Editor key={kept} kept={kept} before={undefined} begun={begun} expr="" />;
}

/** PolicyPage shows a policy and changes it. */
export function PolicyPage({ name }: { name: string }) {
  const policy = useQuery({
    queryKey: ["policy", name],
    queryFn: ({ signal }) => api.get("/api/v1/policies/{name}", { path: { name }, signal }),
    placeholderData: undefined,
  });
  if (!policy.data) {
    return (
      <Frame view="policies" title={name}>
        <QueryView query={policy}>{() => null}</QueryView>
      </Frame>
    );
  }
  return (
    <Editor
      key={policy.data.policy?.updatedAt ?? ""}
      kept={`policy.${name}.${policy.data.policy?.updatedAt ?? ""}`}
      before={policy.data.policy ?? {}}
      begun={draftOf(policy.data.policy ?? {})}
      expr={policy.data.expr ?? ""}
    />
  );
}

function Editor({
  kept,
  before,
  begun,
  expr,
}: {
  kept: string;
  before: Policy | undefined;
  /** begun is what one starts from. */
  begun: PolicyDraft;
  expr: string;
}) {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [draft, setDraft, drop, restored] = useKept<PolicyDraft>(kept, () => begun);
  const [wasRestored, setWasRestored] = useState(restored);
  const [tried, setTried] = useState(false);
  const problems = problemsOf(draft);
  const ready = Object.keys(problems).length === 0;
  const allowed = may("operator");
  const save = useChange([["policies"], ["alerts"]], put, {
    tell: false,
    onDone: (answer) => {
      drop();
      const name = answer.policy?.name ?? draft.name;
      queries.setQueryData(["policy", name], answer);
      toast({ message: t.saved, ...(before ? { undo: () => put(before).then(renew) } : {}) });
      navigate(`/alerts/policies/${part(name)}`);
    },
  });
  const renew = () => {
    void queries.invalidateQueries({ queryKey: ["policies"] });
    void queries.invalidateQueries({ queryKey: ["policy", draft.name] });
  };
  const submit = () => {
    setTried(true);
    if (ready && allowed) save.mutate({ ...policyOf(draft), disabled: draft.disabled });
  };
  const statements = before && kindOf(before) === "logPattern" ? expr : "";
  return (
    <Frame
      view="policies"
      title={before?.name ?? t.create}
      beside={
        <span className="row">
          {before?.disabled && <Badge>{t.off}</Badge>}
          {before && <PolicyMenu of={before} onDeleted={() => navigate("/alerts/policies")} />}
        </span>
      }
    >
      <div className="policy">
        <form
          className="form"
          onSubmit={(e) => {
            e.preventDefault();
            submit();
          }}
        >
          {wasRestored && (
            <Notice>
              <span className="row wrap between">
                {t.restored}
                <Button
                  small
                  onClick={() => {
                    setDraft(begun);
                    drop();
                    setWasRestored(false);
                  }}
                >
                  {t.discard}
                </Button>
              </span>
            </Notice>
          )}
          {!allowed && <Notice>{t.needs}</Notice>}
          <PolicyFields
            draft={draft}
            onValue={setDraft}
            problems={tried ? problems : onlyWrong(problems)}
            fixedName={before !== undefined}
          />
          {save.error && <Failed inline error={save.error} />}
          <div className="form-foot">
            <Button type="submit" look="primary" disabled={!allowed || save.isPending}>
              {t.save}
            </Button>
            <Link className="button" href="/alerts/policies" onClick={drop}>
              {t.back}
            </Link>
            {statements && before && (
              <Link className="button ghost" href={`/jobs/${part(`policy-${before.name}`)}`}>
                {t.job}
              </Link>
            )}
          </div>
          {expr && (
            <details>
              <summary className="soft small">{statements ? t.statements : t.query}</summary>
              <pre className="code pre" tabIndex={0}>
                {expr}
              </pre>
            </details>
          )}
        </form>
        <Past draft={draft} ready={ready || onlyName(problems)} statements={statements} />
      </div>
    </Frame>
  );
}

/** onlyWrong leaves out what is only missing still: one has not said that one is done. */
function onlyWrong(problems: ReturnType<typeof problemsOf>): ReturnType<typeof problemsOf> {
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem !== "needed"));
}

/** onlyName says that nothing but the name is missing: a test needs none of one's own. */
function onlyName(problems: ReturnType<typeof problemsOf>): boolean {
  return problems.name === "needed" && Object.keys(problems).length === 1;
}
