import type { Schema } from "@weirflow/sdk";
import { useEffect, useRef, useState } from "react";
import { api } from "@/api/client";
import { useStream } from "@/api/stream";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, Failed, Notice } from "@/ui";
import { type Message, messageOf } from "./message";
import { MessageTable } from "./message-table";
import type { Place } from "./place";
import { text } from "./text";

/** KEPT is how many messages a live view holds: older ones fall off its end. */
const KEPT = 10_000;

/** Following shows messages as they come, the newest on top; it pauses while one reads. */
export function Following({
  topic,
  place,
  onFilter,
  onSample,
  chosen,
  onChoose,
}: {
  topic: string;
  place: Place;
  onFilter: (text: string) => void;
  onSample: (messages: Message[]) => void;
  chosen: Message | undefined;
  onChoose: (message: Message | undefined) => void;
}) {
  const t = useText(text);
  const [rows, setRows] = useState<Message[]>([]);
  const [hover, setHover] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [held, setHeld] = useState(0);
  const waiting = useRef<Message[]>([]);
  const paused = hover || scrolled;
  const box = useRef<HTMLDivElement>(null);
  const { state, error } = useStream<Schema<"FollowMessagesResponse">>(
    `${topic} ${place.partition} ${place.contains}`,
    true,
    (signal, onMessage) =>
      api.stream(
        "/api/v1/topics/{topic}/messages:follow",
        {
          path: { topic },
          query: {
            partition: place.partition === "" ? undefined : Number(place.partition),
            contains: place.contains || undefined,
            "start.last": rows.length === 0 ? "20" : undefined,
          },
          signal,
        },
        onMessage,
      ),
    ({ messages }) => {
      waiting.current.push(...(messages ?? []).map(messageOf));
      if (waiting.current.length > KEPT) waiting.current = waiting.current.slice(-KEPT);
    },
  );
  // Twice a second is as often as one can read; each message by itself would cost more.
  useEffect(() => {
    const take = () => {
      if (paused) {
        setHeld(waiting.current.length);
        return;
      }
      setHeld(0);
      if (waiting.current.length === 0) return;
      const fresh = waiting.current.reverse();
      waiting.current = [];
      setRows((old) => [...fresh, ...old].slice(0, KEPT));
    };
    take();
    const timer = setInterval(take, 500);
    return () => clearInterval(timer);
  }, [paused]);
  useEffect(() => onSample(rows.slice(0, 500)), [rows, onSample]);

  if (error && rows.length === 0 && state === "ended") return <Failed error={error} />;
  const goOn = () => {
    setScrolled(false);
    setHover(false);
    box.current?.querySelector(".table-box")?.scrollTo({ top: 0 });
  };
  return (
    <>
      {state === "retrying" && <Notice tone="late">{t.retrying}</Notice>}
      <div
        ref={box}
        className="messages-follow"
        onPointerEnter={(e) => e.pointerType === "mouse" && setHover(true)}
        onPointerLeave={() => setHover(false)}
        onScrollCapture={(e) => {
          if (e.target instanceof Element) setScrolled(e.target.scrollTop > 4);
        }}
      >
        <MessageTable
          rows={rows}
          chosen={chosen}
          onChoose={onChoose}
          onFilter={onFilter}
          empty={<p className="state quiet">{t.waiting}</p>}
        />
      </div>
      <footer className="row between messages-foot">
        {paused ? (
          <span className="row">
            <Badge tone="accent">{t.paused(whole(held))}</Badge>
            {scrolled && (
              <Button small onClick={goOn}>
                {t.resume}
              </Button>
            )}
          </span>
        ) : (
          <Badge>{t.live}</Badge>
        )}
        <span className="quiet small num">{whole(rows.length)}</span>
      </footer>
    </>
  );
}
