import { type CSSProperties, type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useText } from "@/i18n";
import type { TimeRangeState } from "@/time/range";
import { type Box, COLUMNS, inReadingOrder, place } from "./layout";
import type { Panel } from "./model";
import { PanelView, ROW } from "./panel";
import { text } from "./text";
import { filled, type Values } from "./variables";

interface GridProps {
  panels: readonly Panel[];
  values: Values;
  time: TimeRangeState;
  /** editing lets panels be moved and changed. */
  editing?: {
    onPanels: (panels: Panel[]) => void;
    onEdit: (id: string) => void;
    onDuplicate: (id: string) => void;
    onRemove: (id: string) => void;
  };
}

/** Drag is a panel on its way, from where the pointer took it. */
interface Drag {
  id: string;
  resize: boolean;
  startX: number;
  startY: number;
  from: Box;
  column: number;
  panels: Panel[];
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Grid lays panels out on 24 columns; while one edits, they can be dragged, or moved by arrows. */
export function Grid({ panels, values, time, editing }: GridProps) {
  const t = useText(text);
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag>();
  const [said, setSaid] = useState("");
  const shown = drag?.panels ?? panels;
  const done = useRef<(keep: boolean) => void>(() => undefined);

  done.current = (keep) => {
    if (drag && keep) editing?.onPanels(drag.panels);
    setDrag(undefined);
  };
  const dragging = drag !== undefined;
  useEffect(() => {
    if (!dragging) return;
    const move = (e: globalThis.PointerEvent) => setDrag((now) => now && moved(now, e, panels));
    const up = () => done.current(true);
    const key = (e: globalThis.KeyboardEvent) => e.key === "Escape" && done.current(false);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
    addEventListener("keydown", key);
    return () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
      removeEventListener("keydown", key);
    };
  }, [dragging, panels]);

  const start = (e: PointerEvent, panel: Panel, resize: boolean) => {
    if (e.button !== 0) return;
    // On a narrow screen panels stand under one another: there is nothing to drag.
    const width = box.current?.clientWidth ?? 0;
    if (box.current && getComputedStyle(box.current).gridTemplateColumns.split(" ").length < COLUMNS) return;
    if (resize) e.preventDefault();
    setDrag({
      id: panel.id,
      resize,
      startX: e.clientX,
      startY: e.clientY,
      from: { x: panel.x, y: panel.y, width: panel.width, height: panel.height },
      column: width / COLUMNS,
      panels: [...panels],
    });
  };
  const key = (e: KeyboardEvent, panel: Panel) => {
    const step = STEPS[e.key];
    if (!step || !(e.target instanceof HTMLElement) || !e.target.hasAttribute("data-move")) return;
    e.preventDefault();
    const [dx, dy] = step;
    const to = e.shiftKey
      ? { ...panel, width: panel.width + dx, height: panel.height + dy }
      : { ...panel, x: panel.x + dx, y: dy > 0 ? below(panels, panel) : panel.y + dy };
    const next = place(panels, panel.id, to);
    editing?.onPanels(next);
    const at = next.find((one) => one.id === panel.id) ?? panel;
    setSaid(t.placed(filled(panel.title, values) || t.untitled, at.x + 1, at.y + 1, at.width, at.height));
  };
  return (
    <div ref={box} className={editing ? "dash-grid editing" : "dash-grid"}>
      <p className="hidden-label" role="status" aria-live="polite">
        {said}
      </p>
      {inReadingOrder(shown).map((panel) => (
        <div
          key={panel.id}
          className={panel.id === drag?.id ? "dash-place dragged" : "dash-place"}
          style={
            {
              "--x": panel.x + 1,
              "--y": panel.y + 1,
              "--w": panel.width,
              "--h": panel.height,
            } as unknown as CSSProperties
          }
        >
          <PanelView
            panel={panel}
            values={values}
            time={time}
            {...(editing
              ? {
                  editing: {
                    onEdit: () => editing.onEdit(panel.id),
                    onDuplicate: () => editing.onDuplicate(panel.id),
                    onRemove: () => editing.onRemove(panel.id),
                    onKey: (e) => key(e, panel),
                    onDrag: (e, resize) => start(e, panel, resize),
                  },
                }
              : {})}
          />
        </div>
      ))}
    </div>
  );
}

/** below is where a panel lies when it has gone under the one beneath it. */
function below(panels: readonly Panel[], panel: Panel): number {
  const bottom = panel.y + panel.height;
  const next = panels.filter((one) => one.y >= bottom && one.x < panel.x + panel.width && panel.x < one.x + one.width);
  if (next.length === 0) return panel.y + 1;
  const top = Math.min(...next.map((one) => one.y));
  const height = Math.min(...next.filter((one) => one.y === top).map((one) => one.height));
  return top + height - panel.height + 1 > panel.y
    ? Math.max(panel.y + 1, top + height - panel.height + 1)
    : panel.y + 1;
}

function moved(drag: Drag, e: globalThis.PointerEvent, panels: readonly Panel[]): Drag {
  const dx = Math.round((e.clientX - drag.startX) / drag.column);
  const dy = Math.round((e.clientY - drag.startY) / ROW);
  const { x, y, width, height } = drag.from;
  const to = drag.resize
    ? { x, y, width: Math.min(COLUMNS - x, Math.max(2, width + dx)), height: height + dy }
    : { x: x + dx, y: y + dy, width, height };
  return { ...drag, panels: place(panels, drag.id, to) };
}
