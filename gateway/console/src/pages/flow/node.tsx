import type { Schema } from "@weirflow/sdk";
import { maybe, num } from "@/api/numbers";
import { href, part } from "@/app/url";
import { bytes, compact, duration, whole } from "@/format";
import { useI18n, useText } from "@/i18n";
import { SEVERAL, waiting } from "./sources";
import { text } from "./text";

export type FlowNode = Schema<"Node">;

/** place is the page on which a node is. */
export function place(node: FlowNode): string {
  const name = node.name ?? "";
  switch (node.kind) {
    case "NODE_KIND_AGENT":
      // Several agents are one node: which of them is meant shows their list.
      if (node.id === SEVERAL) return "/sources";
      return `/sources/${part((node.id ?? name).replace(/^agent\//, ""))}`;
    case "NODE_KIND_TOPIC":
      return `/messages/${part(name)}`;
    case "NODE_KIND_JOB":
      return `/jobs/${part(name)}`;
    case "NODE_KIND_INDEX":
      return href("/search", { index: name });
    default:
      return "/alerts";
  }
}

export function tone(node: FlowNode): "bad" | "late" | "" {
  return node.health === "HEALTH_FAILED" ? "bad" : node.health === "HEALTH_LATE" ? "late" : "";
}

/** Facts are a node's numbers in a line: what it holds, how far it is behind. */
export function Facts({ node }: { node: FlowNode }) {
  const t = useText(text);
  const { language } = useI18n();
  const size = maybe(node.size);
  const lag = maybe(node.lag);
  const lagMillis = maybe(node.lagMillis) ?? 0;
  const facts: string[] = [];
  if (node.kind === "NODE_KIND_TOPIC" && size !== undefined) facts.push(t.records(compact(size)));
  if (node.kind === "NODE_KIND_INDEX" && size !== undefined) facts.push(t.documents(compact(size)));
  if (node.kind === "NODE_KIND_ALERTS" && size !== undefined) facts.push(t.active(whole(size)));
  if (lag) {
    const age = lagMillis > 0 ? duration(lagMillis, language) : "";
    facts.push(node.kind === "NODE_KIND_AGENT" ? t.bytesBehind(bytes(lag)) : t.behind(whole(lag), age));
  } else if (node.state && (node.kind === "NODE_KIND_AGENT" || node.kind === "NODE_KIND_JOB"))
    facts.push((t.states as Record<string, string>)[node.state] ?? node.state);
  return facts.join(" · ");
}

/** Trouble says what a node has set aside, and why it is not well. */
export function Trouble({ node, className = "" }: { node: FlowNode; className?: string }) {
  const t = useText(text);
  const dead = num(node.deadLettered);
  const wait = waiting([node]);
  const reason = wait > 0 ? t.wait(whole(wait)) : node.reason;
  if (dead === 0 && !reason) return null;
  return (
    <span className={`flow-facts num ${className}`}>
      {dead > 0 && <span className="bad">{t.dead(whole(dead))}</span>}
      {dead > 0 && reason && " · "}
      {reason && <span className={tone(node)}>{reason}</span>}
    </span>
  );
}
