import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo } from "react";
import { Route, Switch, useLocation } from "wouter";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { Ago, bytes, whole } from "@/format";
import { useText } from "@/i18n";
import { Badge, type ColumnDef, DataTable, Empty, Page, QueryView } from "@/ui";
import { AgentPage } from "./agent";
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

/** listAgents asks page after page: an installation has some hundred agents. */
export async function listAgents(signal: AbortSignal): Promise<Agent[]> {
  const all: Agent[] = [];
  let pageToken: string | undefined;
  do {
    const page = await api.get("/api/v1/agents", { query: { pageSize: 500, pageToken }, signal });
    all.push(...(page.agents ?? []));
    pageToken = page.nextPageToken || undefined;
  } while (pageToken && all.length < 10_000);
  return all;
}

function AgentList() {
  const t = useText(text);
  const [, navigate] = useLocation();
  const agents = useQuery({
    queryKey: ["agents"],
    queryFn: ({ signal }) => listAgents(signal),
    refetchInterval: 5000,
  });
  const columns = useMemo<ColumnDef<Agent>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.agent,
        cell: ({ row }) => <span className="strong">{row.original.name || row.original.id}</span>,
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
    [t],
  );
  return (
    <Page title={t.title} place="sources" fill>
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
              <Empty title={t.empty}>
                <p>{t.emptyHint}</p>
                <pre>weirflow-agent -c filebeat.yml</pre>
              </Empty>
            }
          />
        )}
      </QueryView>
    </Page>
  );
}
