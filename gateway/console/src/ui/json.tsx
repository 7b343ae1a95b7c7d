import { memo, useState } from "react";
import { texts, useText } from "@/i18n";

const text = texts(
  {
    open: "Unfold",
    close: "Fold",
    items: (n: number) => `${n} items`,
    fields: (n: number) => `${n} fields`,
    filter: "Filter by this value",
    column: "Show as a column",
    more: (n: number) => `show ${n} more`,
    whole: (n: number) => `show all ${n} characters`,
  },
  {
    open: "展开",
    close: "折叠",
    items: (n: number) => `${n} 项`,
    fields: (n: number) => `${n} 个字段`,
    filter: "按此值过滤",
    column: "显示为列",
    more: (n: number) => `再显示 ${n} 项`,
    whole: (n: number) => `显示全部 ${n} 个字符`,
  },
);

export type JsonPath = readonly (string | number)[];

interface JsonTreeProps {
  value: unknown;
  /** onValue is called with the value clicked: filter by it. */
  onValue?: (path: JsonPath, value: unknown) => void;
  /** onKey is called with the name clicked: make it a column. */
  onKey?: (path: JsonPath) => void;
  /** depth is down to where it is unfolded at first. */
  depth?: number;
  wrap?: boolean;
}

/** JsonTree shows JSON as a tree, with types; long parts unfold on demand. */
export function JsonTree({ value, onValue, onKey, depth = 3, wrap = true }: JsonTreeProps) {
  return (
    <div className={wrap ? "json wrapped" : "json"}>
      <ul style={{ paddingLeft: 16 }}>
        <Node value={value} path={[]} onValue={onValue} onKey={onKey} depth={depth} />
      </ul>
    </div>
  );
}

interface NodeProps {
  name?: string | number;
  value: unknown;
  path: JsonPath;
  onValue: JsonTreeProps["onValue"];
  onKey: JsonTreeProps["onKey"];
  depth: number;
}

const PAGE = 100;

const Node = memo(function Node({ name, value, path, onValue, onKey, depth }: NodeProps) {
  const t = useText(text);
  const [open, setOpen] = useState(path.length < depth);
  const [limit, setLimit] = useState(PAGE);
  const isArray = Array.isArray(value);
  const isObject = !isArray && typeof value === "object" && value !== null;
  const key = name !== undefined && (
    <>
      {onKey && typeof name === "string" ? (
        <button type="button" className="key" title={t.column} onClick={() => onKey(path)}>
          {name}
        </button>
      ) : (
        <span className="key">{name}</span>
      )}
      {": "}
    </>
  );
  if (!isArray && !isObject) {
    return (
      <li>
        {key}
        <Leaf value={value} path={path} onValue={onValue} />
      </li>
    );
  }
  const entries: [string | number, unknown][] = isArray
    ? value.slice(0, limit).map((item, i) => [i, item])
    : Object.entries(value as object).slice(0, limit);
  const count = isArray ? value.length : Object.keys(value as object).length;
  return (
    <li>
      <button
        type="button"
        className="toggle"
        aria-expanded={open}
        aria-label={`${open ? t.close : t.open} ${name ?? ""}`}
        onClick={() => setOpen(!open)}
      >
        {open ? "▾" : "▸"}
      </button>
      {key}
      <span className="type">{isArray ? `array · ${t.items(count)}` : `object · ${t.fields(count)}`}</span>
      {open && (
        <ul>
          {entries.map(([childName, child]) => (
            <Node
              key={childName}
              name={childName}
              value={child}
              path={[...path, childName]}
              onValue={onValue}
              onKey={onKey}
              depth={depth}
            />
          ))}
          {count > limit && (
            <li>
              <button type="button" className="link small" onClick={() => setLimit(limit + PAGE * 10)}>
                {t.more(count - limit)}
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
});

const LONG = 2000;

function Leaf({ value, path, onValue }: { value: unknown; path: JsonPath; onValue: JsonTreeProps["onValue"] }) {
  const t = useText(text);
  const [whole, setWhole] = useState(false);
  const type = value === null ? "null" : typeof value === "bigint" ? "number" : typeof value;
  const all = type === "string" ? JSON.stringify(value) : String(value);
  const cut = !whole && all.length > LONG;
  const shown = cut ? `${all.slice(0, LONG)}…` : all;
  return (
    <>
      {onValue ? (
        <button type="button" className={`value ${type}`} title={t.filter} onClick={() => onValue(path, value)}>
          {shown}
        </button>
      ) : (
        <span className={`value ${type}`}>{shown}</span>
      )}
      <span className="type">{type}</span>
      {cut && (
        <button type="button" className="link small" onClick={() => setWhole(true)}>
          {" "}
          {t.whole(all.length)}
        </button>
      )}
    </>
  );
}

/** pathText is a path as one writes it: a.b[0]. */
export function pathText(path: JsonPath): string {
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");
}
