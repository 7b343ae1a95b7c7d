import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { useStream } from "@/api/stream";
import { rate, whole } from "@/format";
import { useText } from "@/i18n";
import { Badge, Empty, Failed, Loading, Notice, Page } from "@/ui";
import { History } from "./history";
import { type Account, Auditor, account, type Verdict } from "./ledger";
import { Ledger } from "./ledger-table";
import { edgeKey, FlowList, FlowMap } from "./map";
import { text } from "./text";
import "./flow.css";

interface Picture {
  flow: Schema<"Flow">;
  accounts: Account[];
  verdicts: Map<string, Verdict>;
}

/** FlowPage is the home: what flows where at this moment, and whether anything is late, lost or failing. */
export default function FlowPage() {
  const t = useText(text);
  const [picture, setPicture] = useState<Picture>();
  const history = useMemo(() => new History(), []);
  const auditor = useMemo(() => new Auditor(), []);
  const { state, error } = useStream<Schema<"WatchFlowResponse">>(
    "flow",
    true,
    (signal, onMessage) => api.stream("/api/v1/flow:watch", { signal }, onMessage),
    ({ flow }) => {
      if (!flow) return;
      history.add(new Map((flow.edges ?? []).map((edge) => [edgeKey(edge), edge.rate ?? 0])));
      const accounts = (flow.ledger ?? []).map(account);
      setPicture({ flow, accounts, verdicts: auditor.look(accounts) });
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
  const nodes = picture.flow.nodes ?? [];
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
        <Empty title={t.empty} action={<Link href="/jobs/new">{t.firstJob}</Link>}>
          <p>{t.emptyHint}</p>
          <pre>weirflow run -c filebeat.yml --sql job.sql</pre>
        </Empty>
      ) : (
        <>
          <div className="wide-only">
            <FlowMap nodes={nodes} edges={edges} history={history} />
          </div>
          <div className="narrow-only">
            <FlowList nodes={nodes} edges={edges} history={history} />
          </div>
        </>
      )}
      <section className="section">
        <h2>{t.ledger}</h2>
        <p className="quiet small">{t.ledgerHint}</p>
        <Ledger accounts={picture.accounts} verdicts={picture.verdicts} />
      </section>
    </>
  );
}

/** Summary says in a line whether all is well: what fails, what is late, what is lost. */
function Summary({ picture }: { picture: Picture }) {
  const t = useText(text);
  const nodes = picture.flow.nodes ?? [];
  const failed = nodes.filter((node) => node.health === "HEALTH_FAILED").length;
  const late = nodes.filter((node) => node.health === "HEALTH_LATE").length;
  const lost = picture.accounts
    .filter((a) => picture.verdicts.get(a.key) === "unbalanced")
    .reduce((sum, a) => sum + Math.abs(a.difference), 0);
  if (failed + late + lost > 0) {
    return (
      <span className="row wrap" role="status">
        {failed > 0 && <Badge tone="bad">{t.failed(failed)}</Badge>}
        {lost > 0 && <Badge tone="bad">{t.lost(whole(lost))}</Badge>}
        {late > 0 && <Badge tone="late">{t.late(late)}</Badge>}
      </span>
    );
  }
  const agents = new Set(nodes.filter((node) => node.kind === "NODE_KIND_AGENT").map((node) => node.id));
  const incoming = (picture.flow.edges ?? [])
    .filter((edge) => agents.has(edge.from))
    .reduce((sum, edge) => sum + (edge.rate ?? 0), 0);
  return <span className="soft num flow-summary">{incoming > 0 ? t.well(rate(incoming)) : t.quiet}</span>;
}
