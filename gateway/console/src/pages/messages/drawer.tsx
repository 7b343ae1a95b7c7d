import { useEffect, useEffectEvent, useState } from "react";
import { recall, remember } from "@/app/memory";
import { Ago, absolute, bytes } from "@/format";
import { writeJson } from "@/format/json";
import { useText } from "@/i18n";
import { Check, Copy, Drawer, IconButton, type JsonPath, JsonTree, Notice, Tabs } from "@/ui";
import { jsonOf, type Message } from "./message";
import { text } from "./text";

type View = "tree" | "raw" | "headers";

/** MessageDrawer shows a message whole. Up and down go to its neighbours. */
export function MessageDrawer({
  message,
  onClose,
  onStep,
  onFilter,
  onColumn,
}: {
  message: Message;
  onClose: () => void;
  onStep: (by: 1 | -1) => void;
  onFilter: (value: unknown) => void;
  onColumn: (path: JsonPath) => void;
}) {
  const t = useText(text);
  const json = jsonOf(message);
  const isTree = typeof json === "object" && json !== null;
  const [view, setView] = useState<View>("tree");
  const [wrap, setWrap] = useState(() => recall("messages.wrap") !== "no");
  const step = useEffectEvent(onStep);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.target instanceof HTMLElement && e.target.closest("input, textarea, select, [role=tablist]")) return;
      if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
        e.preventDefault();
        step(e.key === "ArrowDown" ? 1 : -1);
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const shown: View = view === "tree" && !isTree ? "raw" : view;
  const raw = message.text ?? message.binary ?? "";
  return (
    <Drawer
      title={`${t.partition} ${message.partition} · Offset ${message.offset}`}
      onClose={onClose}
      actions={
        <>
          <IconButton icon="up" label={`${t.previous} (Alt ↑)`} onClick={() => onStep(-1)} />
          <IconButton icon="down" label={`${t.next} (Alt ↓)`} onClick={() => onStep(1)} />
          <Copy label={t.copyValue} value={() => (isTree ? writeJson(json, 2) : raw)} />
        </>
      }
    >
      <div className="column wide-gap">
        <dl className="facts">
          <dt>{t.when}</dt>
          <dd className="num">
            {message.at ? (
              <>
                {absolute(message.at)} <span className="quiet">· </span>
                <Ago at={message.at} />
              </>
            ) : (
              "–"
            )}
          </dd>
          <dt>{t.key}</dt>
          <dd className="mono">{message.key || <span className="quiet">{t.noKey}</span>}</dd>
          <dt>{t.size}</dt>
          <dd className="num">{bytes(message.size)}</dd>
        </dl>
        {message.truncated && <Notice tone="late">{t.cut(bytes(message.size))}</Notice>}
        {message.binary && <Notice>{t.binary}</Notice>}
        <div className="row between wrap">
          <Tabs
            label={t.value}
            value={shown}
            onValue={(id) => setView(id as View)}
            tabs={[
              ...(isTree ? [{ id: "tree", name: t.tree }] : []),
              { id: "raw", name: t.raw },
              { id: "headers", name: t.headers, count: message.headers.length },
            ]}
          />
          <Check
            label={t.wrap}
            checked={wrap}
            onValue={(on) => {
              remember("messages.wrap", on ? "yes" : "no");
              setWrap(on);
            }}
          />
        </div>
        {shown === "tree" && (
          <JsonTree value={json} wrap={wrap} onValue={(_, value) => onFilter(value)} onKey={onColumn} />
        )}
        {shown === "raw" && <pre className={wrap ? "pre" : "messages-raw"}>{raw}</pre>}
        {shown === "headers" && <Headers message={message} />}
      </div>
    </Drawer>
  );
}

function Headers({ message }: { message: Message }) {
  const t = useText(text);
  if (message.headers.length === 0) return <p className="quiet">{t.noHeaders}</p>;
  return (
    <dl className="facts mono">
      {message.headers.map((header, i) => (
        <div key={i} className="messages-header">
          <dt>{header.key}</dt>
          <dd>{header.value}</dd>
        </div>
      ))}
    </dl>
  );
}
