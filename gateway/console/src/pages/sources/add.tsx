import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { part } from "@/app/url";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { useConnections } from "@/sql/connections";
import { Button, Copy, Dialog, Field, Input } from "@/ui";
import { filebeatOf, INGEST, onlyHere, reached, topicOf, type Wrong, wrongPath, wrongTopic } from "./filebeat";
import { text } from "./text";

/** AddFile asks for a path and a topic, and writes the filebeat.yml that collects it. */
export function AddFile({ onClose }: { onClose: () => void }) {
  const t = useText(text);
  const [path, setPath] = useState("");
  const [typed, setTyped] = useState<string>();
  const topic = typed ?? (path ? topicOf(path) : "");
  // A gateway that does not say where agents send to has ingest where it is unless told otherwise.
  const ingest = reached(useConnections().ingest || INGEST, location.hostname);
  const words: Record<Wrong, string> = { needed: t.needed, relative: t.relative, name: t.topicRule };
  const badPath = path === "" ? undefined : wrongPath(path);
  const badTopic = topic === "" && typed === undefined ? undefined : wrongTopic(topic);
  const ready = !wrongPath(path) && !wrongTopic(topic);
  const yml = filebeatOf({ path: path || t.pathExample, topic: topic || topicOf(t.pathExample), ingest });
  return (
    <Dialog title={t.add} broad onClose={onClose} foot={<Button onClick={onClose}>{t.close}</Button>}>
      <div className="sources-wanted">
        <Field label={t.path} hint={badPath ? <span className="bad">{words[badPath]}</span> : t.pathHint}>
          <Input
            autoFocus
            className="mono"
            placeholder={t.pathExample}
            value={path}
            aria-invalid={badPath !== undefined}
            onChange={(e) => setPath(e.target.value)}
          />
        </Field>
        <Field label={t.intoTopic} hint={badTopic ? <span className="bad">{words[badTopic]}</span> : t.topicHint}>
          <Input
            className="mono"
            placeholder={topicOf(t.pathExample)}
            value={topic}
            aria-invalid={badTopic !== undefined}
            onChange={(e) => setTyped(e.target.value.trim())}
          />
        </Field>
      </div>
      <section className="section" aria-label="filebeat.yml">
        <div className="row wrap between">
          <h3 className="mono">filebeat.yml</h3>
          <span className="row">
            <Copy label={t.copy} value={yml} />
            <Button small icon="download" disabled={!ready} onClick={() => save(yml)}>
              {t.download}
            </Button>
          </span>
        </div>
        <pre className={ready ? "sources-yml" : "sources-yml quiet"} tabIndex={0}>
          {yml}
        </pre>
      </section>
      <section className="section">
        <h3>{t.thenRun}</h3>
        <Command line="weirflow agent -e -c filebeat.yml" says={onlyHere(ingest) ? t.besideHere(ingest) : t.beside} />
        <Command line="weirflow run -c filebeat.yml" says={t.anew} />
      </section>
      {ready && <Arriving key={topic} topic={topic} />}
    </Dialog>
  );
}

function Command({ line, says }: { line: string; says: string }) {
  return (
    <div className="column sources-command">
      <div className="row">
        <pre className="sources-yml grow" tabIndex={0}>
          {line}
        </pre>
        <Copy value={line} />
      </div>
      <p className="quiet small">{says}</p>
    </div>
  );
}

/** recordsOf are how many records a topic has taken; undefined: there is no such topic. */
function recordsOf(topics: readonly Schema<"Topic">[], name: string): number | undefined {
  const topic = topics.find((one) => one.name === name);
  return topic && (topic.partitions ?? []).reduce((sum, one) => sum + num(one.high), 0);
}

/** Arriving says whether lines come into the topic, since the dialog asks for it. */
function Arriving({ topic }: { topic: string }) {
  const t = useText(text);
  const [before, setBefore] = useState<number>();
  const topics = useQuery({
    queryKey: ["topics", false],
    queryFn: ({ signal }) => api.get("/api/v1/topics", { signal }),
    refetchInterval: 3000,
  });
  if (!topics.data) return null;
  const records = recordsOf(topics.data.topics ?? [], topic);
  if (before === undefined) setBefore(records ?? 0);
  const fresh = (records ?? 0) - (before ?? records ?? 0);
  return (
    <p role="status" className={fresh > 0 ? "strong" : "soft"}>
      {fresh > 0 ? t.come(whole(fresh)) : records ? t.alreadyThere(topic, whole(records)) : t.noLines(topic)}
      {records ? (
        <>
          {" "}
          <Link href={`/messages/${part(topic)}`}>{t.seeMessages} →</Link>
        </>
      ) : null}
    </p>
  );
}

function save(yml: string): void {
  const url = URL.createObjectURL(new Blob([yml], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "filebeat.yml";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
