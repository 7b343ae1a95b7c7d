import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { useStream } from "@/api/stream";
import { useText } from "@/i18n";
import { listAgents } from "@/pages/sources/agents";
import { Empty, Failed, Loading, Notice, Page } from "@/ui";
import { History } from "./history";
import { Auditor, account } from "./ledger";
import { Ledger } from "./ledger-table";
import { edgeKey, FlowList, FlowMap } from "./map";
import { beginning, Pulse, withAgents } from "./sources";
import { type Picture, Summary } from "./summary";
import { text } from "./text";
import "./flow.css";

/** FlowPage is the home: what flows where at this moment, and whether anything is late, lost or failing. */
export default function FlowPage() {
  const t = useText(text);
  const [picture, setPicture] = useState<Picture>();
  const history = useMemo(() => new History(), []);
  const auditor = useMemo(() => new Auditor(), []);
  const pulse = useMemo(() => new Pulse(), []);
  const { state, error } = useStream<Schema<"WatchFlowResponse">>(
    "flow",
    true,
    (signal, onMessage) => api.stream("/api/v1/flow:watch", { signal }, onMessage),
    ({ flow }) => {
      if (!flow) return;
      history.add(new Map((flow.edges ?? []).map((edge) => [edgeKey(edge), edge.rate ?? 0])));
      const accounts = (flow.ledger ?? []).map(account);
      const lastLine = pulse.look(flow, new Date());
      setPicture({ flow, accounts, verdicts: auditor.look(accounts), lastLine });
    },
  );
  return (
    <Page title={t.title} beside={picture && <Summary picture={picture} />}>
      {!picture && (error ? <Failed error={error} /> : <Loading lines={12} />)}
      {picture && state === "retrying" && <Notice tone="late">{t.retrying}</Notice>}
      {picture && <Content picture={picture} history={history} />}
    </Page>
  );
}

function Content({ picture, history }: { picture: Picture; history: History }) {
  const t = useText(text);
  const agents = useQuery({
    queryKey: ["agents"],
    queryFn: ({ signal }) => listAgents(signal),
    refetchInterval: 5000,
  });
  const nodes = withAgents(picture.flow.nodes ?? [], agents.data ?? [], t);
  const start = beginning(picture.flow);
  const edges = picture.flow.edges ?? [];
  const away = Object.entries(picture.flow.unreachable ?? {});
  return (
    <>
      {away.map(([service, why]) => (
        <Notice key={service} tone="bad">
          {t.away(service, why)}
        </Notice>
      ))}
      {nodes.length === 0 && away.length === 0 ? (
        <Empty
          title={t.empty}
          action={
            <span className="row wrap">
              <Link href="/sources?add=1">{t.addFile}</Link>
              <Link href="/jobs/new">{t.firstJob}</Link>
            </span>
          }
        >
          <p>{t.emptyHint}</p>
          <pre>weirflow run -c filebeat.yml --sql job.sql</pre>
        </Empty>
      ) : (
        <>
          {start && (
            <p className="soft">
              {start === "demo" ? t.demoOnly : t.noSource} <Link href="/sources?add=1">{t.addFile}</Link>
            </p>
          )}
          <div className="wide-only">
            <FlowMap nodes={nodes} edges={edges} history={history} />
          </div>
          <div className="narrow-only">
            <FlowList nodes={nodes} edges={edges} history={history} />
          </div>
        </>
      )}
      <section className="section" id="ledger">
        <h2>{t.ledger}</h2>
        <p className="quiet small">{t.ledgerHint}</p>
        <Ledger accounts={picture.accounts} verdicts={picture.verdicts} />
      </section>
    </>
  );
}
