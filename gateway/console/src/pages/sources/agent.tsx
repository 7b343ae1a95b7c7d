import { useQuery } from "@tanstack/react-query";
import { ApiError, Code, type Schema } from "@weirflow/sdk";
import { useMemo } from "react";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useUrlState } from "@/app/url";
import { Ago, absolute, bytes, duration, percent, useNow, whole } from "@/format";
import { useI18n, useText } from "@/i18n";
import { type ColumnDef, Copy, DataTable, DelayedInput, Drawer, Empty, Notice, Page, QueryView } from "@/ui";
import { AgentStateBadge } from ".";
import { listAgents } from "./agents";
import { LastLines } from "./lines";
import { text } from "./text";

type Agent = Schema<"Agent">;
type File = Schema<"File">;

/** find asks for an agent by its id; links of the map may have its name instead. */
async function find(id: string, signal: AbortSignal): Promise<Agent | undefined> {
  try {
    return (await api.get("/api/v1/agents/{id}", { path: { id }, signal })).agent ?? undefined;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== Code.NOT_FOUND) throw error;
    const named = (await listAgents(signal)).find((agent) => agent.name === id || agent.hostname === id);
    if (!named?.id || named.id === id) throw error;
    return (await api.get("/api/v1/agents/{id}", { path: { id: named.id }, signal })).agent ?? undefined;
  }
}

/** AgentPage shows an agent's files, how far each is read, and a file's lines as they come. */
export function AgentPage({ id }: { id: string }) {
  const t = useText(text);
  const agent = useQuery({
    queryKey: ["agent", id],
    queryFn: ({ signal }) => find(id, signal),
    refetchInterval: 3000,
  });
  const name = agent.data?.name || id;
  return (
    <Page
      title={name}
      parent={{ name: t.title, path: "/sources" }}
      place="sources"
      beside={agent.data && <AgentStateBadge state={agent.data.state} />}
      fill
    >
      <QueryView query={agent}>{(data) => (data ? <AgentView agent={data} /> : null)}</QueryView>
    </Page>
  );
}

function AgentView({ agent }: { agent: Agent }) {
  const t = useText(text);
  const { language } = useI18n();
  const now = useNow();
  const [filter, setFilter] = useUrlState("path");
  const [chosen, setChosen] = useUrlState("file");
  const all = agent.files ?? [];
  const files = useMemo(
    () => (filter ? all.filter((file) => file.path?.toLowerCase().includes(filter.toLowerCase())) : all),
    [all, filter],
  );
  const file = all.find((one) => one.id === chosen);
  const reported = date(agent.reportedAt);
  return (
    <>
      {agent.state === "AGENT_STATE_SILENT" && reported && (
        <Notice tone="bad">{t.silentWhy(duration(now - reported.getTime(), language))}</Notice>
      )}
      <AgentFacts agent={agent} />
      <div className="toolbar">
        <DelayedInput label={t.search} placeholder={t.search} value={filter} onValue={setFilter} />
        <span className="quiet num">{t.shown(whole(files.length), whole(num(agent.fileCount)))}</span>
      </div>
      <FileTable
        files={files}
        chosen={chosen}
        onChoose={setChosen}
        empty={
          filter ? (
            <Empty title={t.noMatch} />
          ) : (
            <Empty title={t.noFiles}>
              <p>{t.noFilesHint}</p>
            </Empty>
          )
        }
      />
      {file && <FileDrawer file={file} onClose={() => setChosen("")} />}
    </>
  );
}

function AgentFacts({ agent }: { agent: Agent }) {
  const t = useText(text);
  const facts: [string, React.ReactNode][] = [
    [t.host, agent.hostname],
    [t.version, agent.version],
    [t.output, agent.output],
    [t.started, <Ago key="s" at={date(agent.startedAt)} />],
    [t.reported, <Ago key="r" at={date(agent.reportedAt)} />],
    [t.behind, bytes(num(agent.lagBytes))],
    [t.lines, whole(num(agent.lines))],
  ];
  return (
    <dl className="sources-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function FileTable({
  files,
  chosen,
  onChoose,
  empty,
}: {
  files: File[];
  chosen: string;
  onChoose: (id: string) => void;
  empty: React.ReactNode;
}) {
  const t = useText(text);
  const columns = useMemo<ColumnDef<File>[]>(
    () => [
      {
        accessorKey: "path",
        header: t.file,
        cell: ({ row }) => <span className="mono break">{row.original.path}</span>,
      },
      {
        id: "size",
        accessorFn: (f) => num(f.size),
        header: t.size,
        meta: { align: "right" },
        cell: ({ getValue }) => <span className="num">{bytes(getValue<number>())}</span>,
      },
      {
        id: "offset",
        accessorFn: (f) => num(f.offset),
        header: t.offset,
        meta: { align: "right" },
        cell: ({ row }) => <ReadTo file={row.original} />,
      },
      {
        id: "lag",
        accessorFn: (f) => num(f.lagBytes),
        header: t.behind,
        meta: { align: "right" },
        cell: ({ getValue }) => {
          const lag = getValue<number>();
          return <span className={lag > 0 ? "num" : "num quiet"}>{bytes(lag)}</span>;
        },
      },
      { accessorKey: "modifiedAt", header: t.modified, cell: ({ row }) => <Ago at={date(row.original.modifiedAt)} /> },
      {
        accessorKey: "open",
        header: t.state,
        cell: ({ row }) => <span className="quiet">{row.original.open ? t.open : t.closed}</span>,
      },
    ],
    [t],
  );
  return (
    <DataTable
      label={t.files}
      rows={files}
      columns={columns}
      rowId={(file) => file.id ?? file.path ?? ""}
      onRow={(file) => onChoose(file.id ?? "")}
      chosen={chosen}
      empty={empty}
      fill
    />
  );
}

/** ReadTo is how much of a file is acknowledged. */
function ReadTo({ file }: { file: File }) {
  const size = num(file.size);
  const offset = num(file.offset);
  const share = size > 0 ? Math.min(1, offset / size) : 1;
  return (
    <span className="num" title={`${whole(offset)} / ${whole(size)} B`}>
      {whole(offset)} · {percent(share)}
    </span>
  );
}

function FileDrawer({ file, onClose }: { file: File; onClose: () => void }) {
  const t = useText(text);
  const modified = date(file.modifiedAt);
  return (
    <Drawer title={file.path ?? ""} onClose={onClose} broad actions={<Copy value={file.path ?? ""} />}>
      <div className="column wide-gap">
        <dl className="facts">
          <dt>{t.file}</dt>
          <dd className="mono">{file.path}</dd>
          <dt>{t.identity}</dt>
          <dd className="mono">{file.id}</dd>
          <dt>{t.input}</dt>
          <dd>{file.input}</dd>
          <dt>{t.offset}</dt>
          <dd>
            <ReadTo file={file} />
          </dd>
          <dt>{t.behind}</dt>
          <dd className="num">{bytes(num(file.lagBytes))}</dd>
          <dt>{t.modified}</dt>
          <dd className="num">{modified ? absolute(modified) : "–"}</dd>
        </dl>
        <LastLines path={file.path ?? ""} input={file.input ?? ""} />
      </div>
    </Drawer>
  );
}
