import { useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { rate } from "@/format";
import { useText } from "@/i18n";
import { Sparkline } from "@/ui";
import type { History } from "./history";
import { KINDS, type Kind, layout, NODE_HEIGHT } from "./layout";
import { Facts, type FlowNode, place, Trouble, tone } from "./node";
import { text } from "./text";

export interface FlowEdge {
  from?: string;
  to?: string;
  rate?: number;
}

interface MapProps {
  nodes: FlowNode[];
  edges: FlowEdge[];
  history: History;
}

export function useKindName(): (kind: Kind) => string {
  const t = useText(text);
  return (kind) =>
    ({
      NODE_KIND_UNSPECIFIED: "",
      NODE_KIND_AGENT: t.agents,
      NODE_KIND_TOPIC: t.topics,
      NODE_KIND_JOB: t.jobs,
      NODE_KIND_INDEX: t.indices,
      NODE_KIND_ALERTS: t.alerts,
    })[kind];
}

export function edgeKey(edge: FlowEdge): string {
  return `${edge.from}→${edge.to}`;
}

/** FlowMap draws the way from the agents at the left to the alerts at the right. */
export function FlowMap({ nodes, edges, history }: MapProps) {
  const t = useText(text);
  const kindName = useKindName();
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  const [over, setOver] = useState<string>();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // The places depend on which nodes and edges there are, not on their rates.
  const shape = `${nodes.map((n) => n.id).join()}|${edges.map(edgeKey).join()}|${width}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for nodes, edges and width.
  const placed = useMemo(() => layout(nodes, edges, width), [shape]);
  const rates = new Map(edges.map((edge) => [edgeKey(edge), edge.rate ?? 0]));
  const top = Math.max(1, ...rates.values());
  return (
    <section ref={box} className="flow-map" style={{ height: placed.height }} aria-label={t.map}>
      {width > 0 && (
        <>
          {placed.columns.map((column, i) => (
            <div key={column.kind} className="flow-kind" style={{ left: column.x, width: placed.nodeWidth }}>
              {kindName(KINDS[i] ?? "NODE_KIND_UNSPECIFIED")}
            </div>
          ))}
          <svg width={width} height={placed.height} aria-hidden="true">
            <defs>
              <marker
                id="flow-arrow"
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="9"
                markerHeight="9"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path d="M0,0.5L8,4L0,7.5Z" className="flow-arrow" />
              </marker>
            </defs>
            {placed.lines.map((line) => {
              const value = rates.get(line.key) ?? 0;
              const near = over === line.from || over === line.to;
              return (
                <path
                  key={line.key}
                  d={line.path}
                  className={near ? "flow-line near" : value > 0 ? "flow-line" : "flow-line still"}
                  markerEnd="url(#flow-arrow)"
                  strokeWidth={value > 0 ? 1.5 + 3.5 * Math.sqrt(value / top) : 1}
                />
              );
            })}
          </svg>
          {placed.lines.map((line) => (
            <div key={line.key} className="flow-rate" style={{ left: line.labelX, top: line.labelY }}>
              <span className="num">{rate(rates.get(line.key) ?? 0)}</span>
              <Sparkline values={history.of(line.key)} width={48} height={12} />
            </div>
          ))}
          {nodes.map((node) => {
            const at = placed.boxes.get(node.id ?? "");
            if (!at) return null;
            return (
              <Link
                key={node.id}
                href={place(node)}
                data-node={node.id}
                className={`flow-node ${tone(node)}`}
                style={{ left: at.x, top: at.y, width: placed.nodeWidth, height: NODE_HEIGHT }}
                title={[node.name, node.reason].filter(Boolean).join("\n")}
                onPointerEnter={() => setOver(node.id)}
                onPointerLeave={() => setOver(undefined)}
              >
                <span className="flow-name clip">{node.name}</span>
                <span className="flow-facts clip num">
                  <Facts node={node} />
                </span>
                <Trouble node={node} className="clip" />
              </Link>
            );
          })}
        </>
      )}
    </section>
  );
}

/** FlowList is the same way from top to bottom, for narrow screens. */
export function FlowList({ nodes, edges, history }: MapProps) {
  const t = useText(text);
  const kindName = useKindName();
  return (
    <section className="flow-list" aria-label={t.map}>
      {KINDS.map((kind) => {
        const members = nodes.filter((node) => node.kind === kind);
        return (
          <div key={kind} className="flow-group">
            <h3>{kindName(kind)}</h3>
            {members.length === 0 && <p className="quiet small">{t.none}</p>}
            {members.map((node) => {
              // What several read of a topic leaves it several times: what comes counts, but of agents.
              const end = kind === "NODE_KIND_AGENT" ? "from" : "to";
              const shown = edges.filter((edge) => edge[end] === node.id);
              const sum = shown.reduce((total, edge) => total + (edge.rate ?? 0), 0);
              const first = shown[0];
              return (
                <Link key={node.id} href={place(node)} data-node={node.id} className={`flow-item ${tone(node)}`}>
                  <span className="grow column flow-lines">
                    <span className="flow-name break">{node.name}</span>
                    <span className="flow-facts num">
                      <Facts node={node} />
                    </span>
                    <Trouble node={node} />
                  </span>
                  {first && <Sparkline values={history.of(edgeKey(first))} width={48} height={16} />}
                  {shown.length > 0 && <span className="num flow-item-rate">{rate(sum)}</span>}
                </Link>
              );
            })}
          </div>
        );
      })}
    </section>
  );
}
