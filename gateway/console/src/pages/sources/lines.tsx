import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useStream } from "@/api/stream";
import { recall, remember } from "@/app/memory";
import { href, part } from "@/app/url";
import { clock } from "@/format";
import { useText } from "@/i18n";
import { Failed, Notice, Select } from "@/ui";
import { text } from "./text";

const KEPT = 200;

interface Line {
  key: string;
  at: Date | undefined;
  text: string;
}

/** LastLines follows a topic for what comes of one file. */
export function LastLines({ path, input }: { path: string; input: string }) {
  const t = useText(text);
  const topics = useQuery({
    queryKey: ["topics", false],
    queryFn: ({ signal }) => api.get("/api/v1/topics", { signal }),
  });
  const names = (topics.data?.topics ?? []).flatMap((topic) => topic.name ?? []);
  const [picked, setPicked] = useState("");
  // The filebeat.yml that the console writes has one name for the input and the topic: filestream:orders.
  const likely = [picked, input.replace(/^[^:]*:/, ""), recall("sources.topic"), "topic-app-info", names[0]];
  const topic = likely.find((name) => name && names.includes(name));
  if (topics.error) return <Failed error={topics.error} inline />;
  if (topics.data && !topic) return <Notice>{t.noTopic}</Notice>;
  if (!topic) return null;
  return (
    <section className="section">
      <div className="row wrap between">
        <h2>{t.last}</h2>
        <span className="row">
          <span className="quiet">{t.topic}</span>
          <Select
            label={t.topic}
            value={topic}
            options={names}
            onValue={(name) => {
              remember("sources.topic", name);
              setPicked(name);
            }}
          />
          <Link href={href(`/messages/${part(topic)}`, { contains: path })}>{t.messages}</Link>
        </span>
      </div>
      <Follow key={`${topic} ${path}`} topic={topic} path={path} />
    </section>
  );
}

function Follow({ topic, path }: { topic: string; path: string }) {
  const t = useText(text);
  const [lines, setLines] = useState<Line[]>([]);
  const [paused, setPaused] = useState(false);
  const waiting = useRef<Line[]>([]);
  const box = useRef<HTMLDivElement>(null);
  const { error } = useStream<Schema<"FollowMessagesResponse">>(
    `${topic} ${path}`,
    true,
    (signal, onMessage) =>
      api.stream(
        "/api/v1/topics/{topic}/messages:follow",
        { path: { topic }, query: { contains: path, "start.last": "50" }, signal },
        onMessage,
      ),
    ({ messages }) => {
      const fresh = (messages ?? []).flatMap((message) => lineOf(message, path) ?? []);
      if (paused) waiting.current = [...waiting.current, ...fresh].slice(-KEPT);
      else setLines((old) => merge(old, fresh));
    },
  );
  useEffect(() => {
    if (paused || waiting.current.length === 0) return;
    const fresh = waiting.current;
    waiting.current = [];
    setLines((old) => merge(old, fresh));
  }, [paused]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines scroll the box to its end.
  useEffect(() => {
    if (!paused && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, paused]);
  if (error && lines.length === 0) return <Failed error={error} inline />;
  return (
    <>
      <div
        ref={box}
        className="sources-lines"
        role="log"
        aria-label={t.last}
        tabIndex={0}
        onPointerEnter={() => setPaused(true)}
        onPointerLeave={() => setPaused(false)}
      >
        {lines.length === 0 && <p className="quiet">{t.waiting}</p>}
        {lines.map((line) => (
          <div key={line.key} className="sources-line">
            <time className="quiet num">{line.at ? clock(line.at) : ""}</time>
            <span className="pre">{line.text}</span>
          </div>
        ))}
      </div>
      <p className="quiet small" aria-live="polite">
        {paused ? t.paused : " "}
      </p>
    </>
  );
}

function merge(old: Line[], fresh: Line[]): Line[] {
  const known = new Set(old.map((line) => line.key));
  return [...old, ...fresh.filter((line) => !known.has(line.key))].slice(-KEPT);
}

interface Event {
  message?: string;
  log?: { file?: { path?: string } };
}

/** lineOf is the line in an event of this file; others have the path somewhere in their text. */
function lineOf(message: Schema<"Message">, path: string): Line | undefined {
  try {
    const event = JSON.parse(message.text ?? "") as Event;
    if (event.log?.file?.path !== path) return undefined;
    return { key: `${message.partition}-${message.offset}`, at: date(message.timestamp), text: event.message ?? "" };
  } catch {
    return undefined;
  }
}
