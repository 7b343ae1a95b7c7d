import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { useUrlState } from "@/app/url";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { Page, QueryView, Tabs } from "@/ui";
import { JobActions } from "./actions";
import { DeadLetters } from "./letters";
import { Overview } from "./overview";
import { Savepoints } from "./savepoints";
import { type Job, JobStateBadge } from "./state";
import { text } from "./text";
import { Versions } from "./versions";
import { type Draft, draftOf, Workbench } from "./workbench";

type View = "overview" | "sql" | "letters" | "versions" | "savepoints";

/** JobPage is one job: how it runs, its statements, and what it has set aside. */
export function JobPage({ name }: { name: string }) {
  const t = useText(text);
  const job = useQuery({
    queryKey: ["job", name],
    queryFn: async ({ signal }) => (await api.get("/api/v1/jobs/{name}", { path: { name }, signal })).job ?? {},
    refetchInterval: 1000,
  });
  const [view, setView] = useUrlState("tab", "overview", { push: true });
  return (
    <Page
      title={name}
      parent={{ name: t.title, path: "/jobs" }}
      place="jobs"
      beside={job.data && <JobStateBadge job={job.data} />}
      actions={job.data && <JobActions job={job.data} onSavepoints={() => setView("savepoints")} />}
      fill
    >
      <QueryView query={job}>
        {(data) => <JobView job={data} at={job.dataUpdatedAt} view={view as View} setView={setView} />}
      </QueryView>
    </Page>
  );
}

function JobView({ job, at, view, setView }: { job: Job; at: number; view: View; setView: (view: string) => void }) {
  const t = useText(text);
  const name = job.name ?? "";
  const letters = useQuery({
    queryKey: ["job", name, "letters"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs/{job}/deadletters:count", { path: { job: name }, signal }),
    refetchInterval: 5000,
  });
  const open = num(letters.data?.open);
  // What is written in the editor stays while one looks at other tabs.
  const saved = useMemo<Draft>(
    () => draftOf({ sql: job.sql ?? "", parameters: job.parameters ?? {} }),
    [job.sql, job.parameters],
  );
  const [edited, setEdited] = useState<Draft>();
  return (
    <>
      <Tabs
        label={name}
        value={view}
        onValue={setView}
        tabs={[
          { id: "overview", name: t.overview },
          { id: "sql", name: t.editor },
          { id: "letters", name: t.letters, count: open > 0 ? whole(open) : undefined },
          { id: "versions", name: t.versions },
          { id: "savepoints", name: t.savepoints },
        ]}
      />
      {view === "sql" && (
        <Workbench
          job={job}
          draft={edited ?? saved}
          changed={edited !== undefined && JSON.stringify(edited) !== JSON.stringify(saved)}
          onDraft={setEdited}
          onSaved={() => setEdited(undefined)}
        />
      )}
      {view === "letters" && <DeadLetters name={name} counts={letters.data} />}
      {view === "versions" && (
        <Versions
          name={name}
          onLoad={(draft) => {
            setEdited(draft);
            setView("sql");
          }}
        />
      )}
      {view === "savepoints" && <Savepoints job={job} />}
      {!["sql", "letters", "versions", "savepoints"].includes(view) && <Overview job={job} at={at} />}
    </>
  );
}
