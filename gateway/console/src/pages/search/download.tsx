import { useEffect, useRef, useState } from "react";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { documents } from "@/search/store";
import { Button, Dialog, Field, Notice, Select, useToast } from "@/ui";
import { columnsOf, type Format, head, writeRows } from "./export";
import { type Asked, idOf, pageOf, type Span } from "./request";
import { text } from "./text";

const PAGE = 1000;
const COUNTS = [1000, 10_000, 50_000, 100_000];

/** Download saves what is found, page by page and at most so many documents. */
export function Download({
  pattern,
  asked,
  span,
  columns,
  onClose,
}: {
  pattern: string;
  asked: Asked;
  span: () => Span;
  columns: readonly string[];
  onClose: () => void;
}) {
  const t = useText(text);
  const toast = useToast();
  const [format, setFormat] = useState<Format>("csv");
  const [most, setMost] = useState(10_000);
  const [done, setDone] = useState<number>();
  const [error, setError] = useState<string>();
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const running = done !== undefined;

  const start = async () => {
    const control = new AbortController();
    abort.current = control;
    setError(undefined);
    setDone(0);
    try {
      const wanted = asked.timeField && columns.length > 0 ? [asked.timeField, ...columns] : columns;
      const parts = await collect(pattern, asked, span(), [...new Set(wanted)], format, most, setDone, control.signal);
      save(parts.text, `${pattern.replace(/[^\w.-]+/g, "_")}.${format}`, format);
      toast({ message: t.saved(whole(parts.count)) });
      onClose();
    } catch (e) {
      if (!control.signal.aborted) setError(e instanceof Error ? e.message : String(e));
      setDone(undefined);
    }
  };
  return (
    <Dialog
      title={t.download}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={running} onClick={start}>
            {running ? <span className="num">{t.progress(whole(done), whole(most))}</span> : t.start}
          </Button>
        </>
      }
    >
      <Field label={t.format}>
        <Select
          value={format}
          disabled={running}
          options={[
            { value: "csv", name: t.csv },
            { value: "ndjson", name: t.ndjson },
          ]}
          onValue={(value) => setFormat(value as Format)}
        />
      </Field>
      <Field label={t.howMany}>
        <Select
          value={String(most)}
          disabled={running}
          options={COUNTS.map((n) => ({ value: String(n), name: whole(n) }))}
          onValue={(value) => setMost(Number(value))}
        />
      </Field>
      {format === "csv" && (
        <p className="small soft break">{columns.length > 0 ? t.csvColumns(columns.join(", ")) : t.csvAll}</p>
      )}
      <p className="small quiet">{t.exportHint}</p>
      {error && <Notice tone="bad">{error}</Notice>}
    </Dialog>
  );
}

/** collect pages through what is found. Documents that come meanwhile are not in it. */
async function collect(
  pattern: string,
  asked: Asked,
  span: Span,
  columns: string[],
  format: Format,
  most: number,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<{ text: string[]; count: number }> {
  const parts: string[] = [];
  const seen = new Set<string>();
  let names = columns;
  let after: unknown[] | undefined;
  while (seen.size < most) {
    const size = Math.min(PAGE, most - seen.size);
    const { highlight: _, ...body } = pageOf(asked, span, after, size) as Record<string, unknown>;
    const answer = await documents(pattern, body, signal);
    const hits = answer.hits?.hits ?? [];
    const fresh = hits.filter((hit) => !seen.has(idOf(hit)));
    for (const hit of fresh) seen.add(idOf(hit));
    if (format === "csv" && parts.length === 0) {
      if (names.length === 0) names = columnsOf(hits);
      // With it, spreadsheets read other letters than Latin ones.
      parts.push(`\ufeff${head(names)}`);
    }
    parts.push(writeRows(fresh, format, names));
    onProgress(seen.size);
    if (hits.length < size || fresh.length === 0) break;
    after = hits.at(-1)?.sort;
  }
  return { text: parts, count: seen.size };
}

function save(parts: string[], name: string, format: Format) {
  const type = format === "csv" ? "text/csv;charset=utf-8" : "application/x-ndjson";
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
