import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { millis, num } from "@/api/numbers";
import { Ago, bytes, compact, rate, whole } from "@/format";
import { useText } from "@/i18n";
import { Drawer } from "@/ui";
import { BOX_HEIGHT, BOX_WIDTH, type PlanNode, placePlan } from "./plan";
import { useRates } from "./rates";
import { text } from "./text";

type Operator = Schema<"OperatorStatus">;

/** PlanGraph draws the operators of a plan; with their status, how many rows go through each. */
export function PlanGraph({ nodes, operators, at }: { nodes: PlanNode[]; operators: readonly Operator[]; at: number }) {
  const t = useText(text);
  const placed = useMemo(() => placePlan(nodes), [nodes]);
  const [chosen, setChosen] = useState<string>();
  const status = useMemo(() => new Map(operators.map((operator) => [operator.id ?? "", operator])), [operators]);
  const counters = useMemo(
    () =>
      new Map(operators.map((operator) => [operator.id ?? "", num(operator.recordsOut) || num(operator.recordsIn)])),
    [operators],
  );
  const rates = useRates(counters, at);
  const node = nodes.find((one) => one.id === chosen);
  return (
    <div className="plan-box" tabIndex={0} role="region" aria-label={t.plan}>
      <div className="plan" style={{ width: placed.width, height: placed.height }}>
        <svg width={placed.width} height={placed.height} aria-hidden="true">
          {placed.lines.map((line) => (
            <path key={line.key} d={line.path} className="plan-line" />
          ))}
        </svg>
        {placed.lines.map((line) => {
          const speed = rates.now(line.from);
          return (
            <span key={line.key} className="plan-rate num" style={{ left: line.x, top: line.y }}>
              {speed === undefined ? line.strategy.toLowerCase() : rate(speed)}
            </span>
          );
        })}
        {nodes.map((one) => {
          const box = placed.boxes.get(one.id);
          if (!box) return null;
          return (
            <button
              key={one.id}
              type="button"
              className="plan-node"
              aria-pressed={one.id === chosen}
              style={{ left: box.x, top: box.y, width: BOX_WIDTH, height: BOX_HEIGHT }}
              onClick={() => setChosen(one.id)}
              title={one.contents}
            >
              <span className="strong clip">{one.type}</span>
              <span className="small soft clip">{one.contents}</span>
              <Figures end={endOf(one)} operator={status.get(one.id)} />
            </button>
          );
        })}
      </div>
      {node && <OperatorDrawer node={node} operator={status.get(node.id)} onClose={() => setChosen(undefined)} />}
    </div>
  );
}

/** endOf says which end of the plan an operator is: nothing of the job comes before a source, nothing behind a sink. */
function endOf(node: PlanNode): "source" | "sink" | undefined {
  if (/^Sink\b/.test(node.type)) return "sink";
  return /^Source\b/.test(node.type) ? "source" : undefined;
}

function Figures({ operator, end }: { operator: Operator | undefined; end: ReturnType<typeof endOf> }) {
  const t = useText(text);
  if (!operator) return null;
  const late = num(operator.late);
  const [rowsIn, rowsOut] = [compact(num(operator.recordsIn)), compact(num(operator.recordsOut))];
  const rows =
    end === "sink" ? t.rowsWritten(rowsIn) : end === "source" ? t.rowsRead(rowsOut) : `${rowsIn} → ${rowsOut}`;
  const parts = [rows];
  if (operator.stateful) parts.push(bytes(num(operator.stateBytes)));
  return (
    <span className="small num clip">
      {parts.join(" · ")}
      {late > 0 && <span className="late">{` · ${t.lateRows} ${compact(late)}`}</span>}
    </span>
  );
}

function OperatorDrawer({
  node,
  operator,
  onClose,
}: {
  node: PlanNode;
  operator: Operator | undefined;
  onClose: () => void;
}) {
  const t = useText(text);
  const end = endOf(node);
  return (
    <Drawer title={node.type} onClose={onClose}>
      <div className="column wide-gap">
        {operator && (
          <dl className="facts">
            {end !== "source" && (
              <>
                <dt>{end === "sink" ? t.recordsWritten : t.recordsIn}</dt>
                <dd className="num">{whole(num(operator.recordsIn))}</dd>
              </>
            )}
            {end !== "sink" && (
              <>
                <dt>{end === "source" ? t.recordsRead : t.recordsOut}</dt>
                <dd className="num">{whole(num(operator.recordsOut))}</dd>
              </>
            )}
            <dt>{t.lateRows}</dt>
            <dd className={num(operator.late) > 0 ? "num late" : "num"}>{whole(num(operator.late))}</dd>
            <dt>{t.watermark}</dt>
            <dd>
              <Ago at={millis(operator.watermark)} />
            </dd>
            <dt>{t.stateSize}</dt>
            <dd className="num">
              {operator.stateful
                ? `${bytes(num(operator.stateBytes))} · ${t.entries(whole(num(operator.stateEntries)))}`
                : "–"}
            </dd>
          </dl>
        )}
        <section className="section">
          <h3>{t.details}</h3>
          <pre className="pre">{node.contents}</pre>
        </section>
      </div>
    </Drawer>
  );
}
