import { whole } from "@/format";
import { useText } from "@/i18n";
import { matchesOf, type Part, type PartType } from "@/sql/lines";
import { Button, IconButton, Input, Select } from "@/ui";
import { text } from "./text";

const TYPES: PartType[] = ["STRING", "BIGINT", "DOUBLE"];

/** PartList are the columns that lines are taken apart into; each says how many lines it matches. */
export function PartList({
  parts,
  lines,
  onParts,
}: {
  parts: readonly Part[];
  lines: readonly string[];
  onParts: (parts: Part[]) => void;
}) {
  const t = useText(text);
  const set = (at: number, change: Partial<Part>) =>
    onParts(parts.map((part, i) => (i === at ? { ...part, ...change } : part)));
  return (
    <div className="column">
      <ul className="messages-parts">
        {parts.map((part, i) => (
          <li key={i}>
            <Input label={t.partName} value={part.name} onChange={(e) => set(i, { name: e.target.value })} />
            <Input
              label={t.partPattern}
              className="mono"
              value={part.pattern}
              onChange={(e) => set(i, { pattern: e.target.value })}
            />
            <Select
              label={t.partType}
              value={part.type}
              options={TYPES}
              onValue={(type) => set(i, { type: type as PartType })}
            />
            <IconButton
              small
              icon="close"
              label={t.removePart(part.name)}
              onClick={() => onParts(parts.filter((_, k) => k !== i))}
            />
            <Found pattern={part.pattern} lines={lines} />
          </li>
        ))}
      </ul>
      <div>
        <Button small icon="plus" onClick={() => onParts([...parts, { name: "", pattern: "", type: "STRING" }])}>
          {t.addPart}
        </Button>
      </div>
    </div>
  );
}

function Found({ pattern, lines }: { pattern: string; lines: readonly string[] }) {
  const t = useText(text);
  if (pattern === "") return <span />;
  const found = matchesOf(pattern, lines);
  if (!found) return <span className="small bad">{t.badPattern}</span>;
  const few = found.count < lines.length / 2;
  return (
    <span className={`small clip ${few ? "late" : "quiet"}`} title={found.example}>
      {t.partFound(whole(found.count), whole(lines.length))}
      {found.example && (
        <>
          {" · "}
          <span className="mono">{found.example}</span>
        </>
      )}
    </span>
  );
}
