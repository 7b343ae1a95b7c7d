import { useQueries, useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo } from "react";
import { Route, Switch, useLocation } from "wouter";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useUrlState } from "@/app/url";
import { Ago, bytes, whole } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, type ColumnDef, DataTable, Empty, Page, QueryView } from "@/ui";
import { AddFile } from "./add";
import { AgentPage } from "./agent";
import { listAgents } from "./agents";
import { alike } from "./alike";
import { text } from "./text";
import "./sources.css";

export default function SourcesPage() {
  return (
    <Switch>
      <Route path="/sources/:agent">{({ agent }) => <AgentPage key={agent} id={decodeURIComponent(agent)} />}</Route>
      <Route>
        <AgentList />
      </Route>
    </Switch>
  );
}

type Agent = Schema<"Agent">;

export function AgentStateBadge({ state }: { state: Agent["state"] }) {
  const t = useText(text);
  switch (state) {
    case "AGENT_STATE_ONLINE":
      return <Badge>{t.online}</Badge>;
    case "AGENT_STATE_SILENT":
      return <Badge tone="bad">{t.silent}</Badge>;
    case "AGENT_STATE_STOPPED":
      return <Badge>{t.stopped}</Badge>;
    default:
      return <Badge>{t.unknown}</Badge>;
  }
}

/** ASKED are how many agents are asked for their first file at most. */
const ASKED = 20;

/** useFirstPaths are what tells agents of one name apart: the first file of each, by the agent's id. */
function useFirstPaths(agents: readonly Agent[]): Map<string, string> {
  const ids = alike(agents).slice(0, ASKED);
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: ["agent", id, "first"],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get("/api/v1/agents/{id}", { path: { id }, signal }),
      staleTime: 60_000,
      retry: false,
    })),
    combine: (answers) =>
      new Map(answers.map((answer, i) => [ids[i] ?? "", answer.data?.agent?.files?.[0]?.path ?? ""])),
  });
}

function AgentList() {
  const t = useText(text);
  const [, navigate] = useLocation();
  const [adding, setAdding] = useUrlState("add");
  const agents = useQuery({
    queryKey: ["agents"],
    queryFn: ({ signal }) => listAgents(signal),
    refetchInterval: 5000,
  });
  const paths = useFirstPaths(agents.data ?? []);
  const columns = useMemo<ColumnDef<Agent>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.agent,
        cell: ({ row: { original: a } }) => (
          <>
            <span className="strong">{a.name || a.id}</span>
            {paths.get(a.id ?? "") && (
              <span className="small quiet mono break sources-first" title={t.firstPath}>
                {paths.get(a.id ?? "")}
              </span>
            )}
          </>
        ),
      },
      { accessorKey: "hostname", header: t.host, meta: { className: "wide-only-cell" } },
      { accessorKey: "state", header: t.state, cell: ({ row }) => <AgentStateBadge state={row.original.state} /> },
      {
        id: "files",
        accessorFn: (a) => num(a.fileCount),
        header: t.files,
        meta: { align: "right" },
        cell: ({ getValue }) => <span className="num">{whole(getValue<number>())}</span>,
      },
      {
        id: "lag",
        accessorFn: (a) => num(a.lagBytes),
        header: t.behind,
        meta: { align: "right" },
        cell: ({ getValue }) => <span className="num">{bytes(getValue<number>())}</span>,
      },
      {
        id: "lines",
        accessorFn: (a) => num(a.lines),
        header: t.lines,
        meta: { align: "right", className: "wide-only-cell" },
        cell: ({ getValue }) => <span className="num">{whole(getValue<number>())}</span>,
      },
      { accessorKey: "output", header: t.output, meta: { className: "wide-only-cell" } },
      { accessorKey: "version", header: t.version, meta: { className: "wide-only-cell" } },
      { accessorKey: "reportedAt", header: t.reported, cell: ({ row }) => <Ago at={date(row.original.reportedAt)} /> },
    ],
    [t, paths],
  );
  const add = (
    <Button look="primary" icon="plus" onClick={() => setAdding("1")}>
      {t.add}
    </Button>
  );
  return (
    <Page title={t.title} place="sources" actions={add} fill>
      <QueryView query={agents}>
        {(rows) => (
          <DataTable
            label={t.title}
            rows={rows}
            columns={columns}
            rowId={(a) => a.id ?? ""}
            onRow={(a) => navigate(`/sources/${encodeURIComponent(a.id ?? "")}`)}
            fill
            empty={
              <Empty title={t.empty} action={add}>
                <p>{t.emptyHint}</p>
                <pre>weirflow-agent -c filebeat.yml</pre>
              </Empty>
            }
          />
        )}
      </QueryView>
      {adding && <AddFile onClose={() => setAdding("")} />}
    </Page>
  );
}
