import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { href, part } from "@/app/url";
import { Ago, absolute, useNow } from "@/format";
import { useText } from "@/i18n";
import { Button, Copy, Drawer, Empty, Loading, QueryView } from "@/ui";
import {
  type Alert,
  alertPath,
  type Event,
  indicesOf,
  jobOf,
  logsLink,
  nameOf,
  queryOf,
  summaryOf,
  timelineOf,
  told,
  webLink,
} from "./alert";
import { DeliveryTable } from "./deliveries";
import { Frame, useAlerts } from "./frame";
import { Handling } from "./handling";
import { matchersOf } from "./matchers";
import { AlertStateBadge, Labels, Severity } from "./parts";
import { QueryChart } from "./query-chart";
import { emptySilence, SilenceDialog } from "./silence-dialog";
import { text } from "./text";

/** AlertPage is one alert on a page of its own. */
export function AlertPage({ fingerprint }: { fingerprint: string }) {
  const alerts = useAlerts();
  const alert = alerts.data?.find((a) => a.fingerprint === fingerprint);
  return (
    <Frame view="active" title={alert ? nameOf(alert) : fingerprint}>
      <QueryView query={alerts}>
        {() => (
          <div className="alert-page">{alert ? <Details alert={alert} /> : <Over fingerprint={fingerprint} />}</div>
        )}
      </QueryView>
    </Frame>
  );
}

/** AlertDrawer is one alert beside the list. */
export function AlertDrawer({ fingerprint, onClose }: { fingerprint: string; onClose: () => void }) {
  const t = useText(text);
  const alerts = useAlerts();
  const alert = alerts.data?.find((a) => a.fingerprint === fingerprint);
  return (
    <Drawer
      title={alert ? nameOf(alert) : fingerprint}
      onClose={onClose}
      actions={
        <Link className="button ghost small" href={alertPath(fingerprint)}>
          {t.open}
        </Link>
      }
    >
      {alert ? <Details alert={alert} /> : alerts.isPending ? <Loading /> : <Over fingerprint={fingerprint} />}
    </Drawer>
  );
}

/** useDeliveriesOf are the deliveries that told of an alert. */
function useDeliveriesOf(fingerprint: string, name: string | undefined) {
  return useQuery({
    queryKey: ["deliveries", "of", fingerprint, name],
    queryFn: async ({ signal }) => {
      const answer = await api.get("/api/v1/deliveries", { query: { text: name, pageSize: 1000 }, signal });
      return (answer.deliveries ?? []).filter((d) => d.alerts?.some((a) => a.fingerprint === fingerprint));
    },
    refetchInterval: 10_000,
  });
}

/** Over is shown for an alert that does not go on: what was told of it remains. */
function Over({ fingerprint }: { fingerprint: string }) {
  const t = useText(text);
  const deliveries = useDeliveriesOf(fingerprint, undefined);
  const last = deliveries.data?.[0]?.alerts?.find((a) => a.fingerprint === fingerprint);
  return (
    <div className="column wide-gap">
      <Empty inline title={t.over} action={<Link href="/alerts">{t.toList}</Link>}>
        <p>{t.overHint}</p>
      </Empty>
      {last && (
        <section className="section">
          <p className="strong">{last.summary}</p>
          <Labels of={last.labels} all />
        </section>
      )}
      {(deliveries.data?.length ?? 0) > 0 && (
        <section className="section">
          <h2>{t.toldAbout}</h2>
          <DeliveryTable deliveries={deliveries.data ?? []} />
        </section>
      )}
    </div>
  );
}

function Details({ alert }: { alert: Alert }) {
  const t = useText(text);
  const { may } = useSession();
  const [silencing, setSilencing] = useState(false);
  const query = queryOf(alert);
  const began = date(alert.startsAt);
  return (
    <div className="alert">
      <section className="section alert-head">
        <p className="row wrap">
          <Severity of={alert.labels?.severity} />
          <AlertStateBadge state={alert.state} />
          <Ago at={began} />
        </p>
        <p className="pre">{summaryOf(alert)}</p>
        {alert.annotations?.description && alert.annotations.description !== summaryOf(alert) && (
          <p className="pre soft">{alert.annotations.description}</p>
        )}
        <Links alert={alert}>
          <Button small disabled={!may("operator")} onClick={() => setSilencing(true)}>
            {t.silence}
          </Button>
        </Links>
      </section>
      {query && (
        <section className="section alert-values">
          <h2>{t.values}</h2>
          <AlertChart query={query} began={began} labels={alert.labels ?? {}} />
        </section>
      )}
      <Handling alert={alert} />
      <Timeline alert={alert} />
      <Facts alert={alert} />
      {silencing && (
        <SilenceDialog
          initial={{ ...emptySilence(), matchers: matchersOf(alert.labels ?? {}) }}
          onClose={() => setSilencing(false)}
        />
      )}
    </div>
  );
}

function Links({ alert, children }: { alert: Alert; children: ReactNode }) {
  const t = useText(text);
  const runbook = webLink(alert.annotations?.runbook_url ?? alert.annotations?.runbook);
  const job = jobOf(alert);
  const policies = useQuery({
    queryKey: ["policies"],
    queryFn: ({ signal }) => api.get("/api/v1/policies", { signal }),
    staleTime: 30_000,
  });
  const policy = policies.data?.policies?.find((p) => p.name === nameOf(alert));
  // Which index has the lines of a pattern's topic says the map.
  const topic = policy?.logPattern?.topic;
  const flow = useQuery({
    queryKey: ["flow", "edges"],
    queryFn: ({ signal }) => api.get("/api/v1/flow", { signal }),
    enabled: topic !== undefined,
    staleTime: 60_000,
  });
  const [index] = topic ? indicesOf(flow.data?.flow?.edges ?? [], topic) : [];
  return (
    <p className="row wrap">
      {runbook && (
        <a className="button small" href={runbook} target="_blank" rel="noreferrer">
          {t.runbook}
        </a>
      )}
      <Link className="button small" href={logsLink(alert, policy?.logPattern ?? undefined, index)}>
        {t.logs}
      </Link>
      {policy?.logPattern?.topic && (
        <Link
          className="button small"
          href={href(`/messages/${part(policy.logPattern.topic)}`, {
            from: "time",
            time: new Date((date(alert.startsAt)?.getTime() ?? 0) - 60_000).toISOString(),
            contains: policy.logPattern.contains,
          })}
        >
          {t.messagesThen}
        </Link>
      )}
      {policy && (
        <Link className="button small" href={`/alerts/policies/${part(nameOf(alert))}`}>
          {t.policy}
        </Link>
      )}
      {job && (
        <Link className="button small" href={`/jobs/${part(job)}`}>
          {t.job(job)}
        </Link>
      )}
      {children}
    </p>
  );
}

const BEFORE_MS = 30 * 60_000;

/** AlertChart draws the query of an alert from before it began. */
function AlertChart({
  query,
  began,
  labels,
}: {
  query: string;
  began: Date | undefined;
  labels: Record<string, string>;
}) {
  const now = useNow(30_000);
  const from = (began?.getTime() ?? now) - BEFORE_MS;
  const range = { from, to: Math.max(now, from + 60_000) };
  return <QueryChart expr={query} range={range} only={labels} height={180} />;
}

function Timeline({ alert }: { alert: Alert }) {
  const t = useText(text);
  const deliveries = useDeliveriesOf(alert.fingerprint ?? "", nameOf(alert));
  const events = useMemo(() => timelineOf(alert, deliveries.data ?? []), [alert, deliveries.data]);
  const words = (e: Event) => {
    switch (e.kind) {
      case "began":
        return t.eventBegan;
      case "told":
        return t.eventTold(e.who);
      case "failed":
        return t.eventFailed(e.who);
      case "over":
        return t.eventOver(e.who);
      case "acknowledged":
        return t.eventAcknowledged(e.who);
      case "comment":
        return t.eventComment(e.who);
    }
  };
  return (
    <section className="section">
      <h2>{t.timeline}</h2>
      <ol className="timeline">
        {events.map((e, i) => (
          <li key={`${e.at.getTime()}-${i}`} className={e.kind}>
            <span className="soft">
              <Ago at={e.at} />
            </span>
            <span>
              <span className={e.kind === "failed" ? "bad" : undefined}>{words(e)}</span>
              {e.text && <span className={e.kind === "failed" ? "pre bad" : "pre"}> {e.text}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({ alert }: { alert: Alert }) {
  const t = useText(text);
  const began = date(alert.startsAt);
  return (
    <section className="section">
      <h2>{t.labels}</h2>
      <dl className="facts">
        {Object.entries(alert.labels ?? {}).map(([name, value]) => (
          <Pair key={name} name={name} value={value} />
        ))}
      </dl>
      <h2>{t.annotations}</h2>
      <dl className="facts">
        {Object.entries(alert.annotations ?? {}).map(([name, value]) => (
          <Pair key={name} name={name} value={value} />
        ))}
      </dl>
      <dl className="facts">
        <dt>{t.receivers}</dt>
        <dd>
          {told(alert).join(", ") || (
            <>
              <span className="quiet">{t.noReceivers}</span> · <Link href="/alerts/templates">{t.chooseReceivers}</Link>
            </>
          )}
        </dd>
        <dt>{t.began}</dt>
        <dd className="num">{began ? absolute(began, false) : "–"}</dd>
        <dt>{t.fingerprint}</dt>
        <dd className="row">
          <code>{alert.fingerprint}</code> <Copy value={alert.fingerprint ?? ""} />
        </dd>
      </dl>
    </section>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  const link = webLink(value);
  return (
    <>
      <dt className="mono break">{name}</dt>
      <dd className="pre">
        {link ? (
          <a href={link} target="_blank" rel="noreferrer">
            {value}
          </a>
        ) : (
          value
        )}
      </dd>
    </>
  );
}
