import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { recall, remember } from "@/app/memory";
import { absolute, clock } from "@/format";
import { useText } from "@/i18n";
import type { Field } from "@/search/fields";
import { documents, type Hit } from "@/search/store";
import { Button, Failed, Field as FormField, Loading, Notice, Select } from "@/ui";
import { aroundOf, type Lines, linesOf } from "./around";
import { lineField, show, timeOf, valueAt } from "./document";
import { idOf } from "./request";
import { text } from "./text";

const MOST = 1000;

/** Around shows the lines of the same file before and after a document. */
export function Around({
  hit,
  timeField,
  fields,
  wrap,
  onOpen,
}: {
  hit: Hit;
  timeField: string;
  fields: readonly Field[];
  wrap: boolean;
  onOpen: (hit: Hit) => void;
}) {
  const t = useText(text);
  const [lines, setLines] = useLines(hit, fields);
  const [size, setSize] = useState({ before: 10, after: 10 });
  const before = useSide(hit, lines, timeField, fields, true, size.before);
  const after = useSide(hit, lines, timeField, fields, false, size.after);
  const here = useRef<HTMLLIElement>(null);
  const ready = before.data !== undefined && after.data !== undefined;
  useEffect(() => {
    if (ready) here.current?.scrollIntoView({ block: "center" });
  }, [ready]);

  const chosen = lines.file !== "" && lines.position !== "";
  const impossible = chosen && aroundOf(hit, lines, timeField, fields, true, 1) === undefined;
  const error = before.error ?? after.error;
  return (
    <div className="column">
      <Choose lines={lines} fields={fields} onLines={setLines} />
      {!chosen && <Notice>{t.aroundHint}</Notice>}
      {impossible && <Notice tone="late">{t.aroundNone}</Notice>}
      {error && <Failed inline error={error} />}
      {chosen && !impossible && !error && (!ready ? <Loading lines={10} /> : null)}
      {chosen && !impossible && ready && (
        <>
          <More
            enough={(before.data?.length ?? 0) < size.before}
            none={t.firstLine}
            name={t.moreBefore}
            full={size.before >= MOST}
            onMore={() => setSize({ ...size, before: Math.min(MOST, size.before * 5) })}
          />
          <ol className={wrap ? "search-lines wrapped" : "search-lines"}>
            {(before.data ?? []).toReversed().map((one) => (
              <Line key={idOf(one)} hit={one} lines={lines} timeField={timeField} onOpen={onOpen} />
            ))}
            <li ref={here} className="here" aria-current="true">
              <LineText hit={hit} lines={lines} timeField={timeField} />
            </li>
            {(after.data ?? []).map((one) => (
              <Line key={idOf(one)} hit={one} lines={lines} timeField={timeField} onOpen={onOpen} />
            ))}
          </ol>
          <More
            enough={(after.data?.length ?? 0) < size.after}
            none={t.lastLine}
            name={t.moreAfter}
            full={size.after >= MOST}
            onMore={() => setSize({ ...size, after: Math.min(MOST, size.after * 5) })}
          />
        </>
      )}
    </div>
  );
}

/** useLines are the fields that say which line of which file a document is: guessed, or as chosen before. */
function useLines(hit: Hit, fields: readonly Field[]): [Lines, (lines: Lines) => void] {
  const key = `search.lines.${hit._index}`;
  const guess = useMemo(() => linesOf(hit._source ?? {}, fields), [hit, fields]);
  const [own, setOwn] = useState<Lines | undefined>(() => {
    try {
      return JSON.parse(recall(key) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  });
  return [
    own ?? guess,
    (lines) => {
      remember(key, JSON.stringify(lines));
      setOwn(lines);
    },
  ];
}

function useSide(hit: Hit, lines: Lines, timeField: string, fields: readonly Field[], before: boolean, size: number) {
  const body = aroundOf(hit, lines, timeField, fields, before, size);
  return useQuery({
    queryKey: ["search-around", idOf(hit), lines, timeField, before, size],
    enabled: body !== undefined,
    queryFn: async ({ signal }) => (await documents(hit._index, body ?? {}, signal)).hits?.hits ?? [],
    placeholderData: (old, asked) => (asked?.queryKey[1] === idOf(hit) ? old : undefined),
  });
}

function Choose({
  lines,
  fields,
  onLines,
}: {
  lines: Lines;
  fields: readonly Field[];
  onLines: (lines: Lines) => void;
}) {
  const t = useText(text);
  const names = (kinds: string[], chosen: string) => {
    const all = fields.filter((field) => field.whole && kinds.includes(field.kind)).map((field) => field.name);
    return chosen && !all.includes(chosen) ? [chosen, ...all] : all;
  };
  const texts = ["text", "keyword"];
  return (
    <div className="row wrap">
      <FormField label={t.file}>
        <Select
          value={lines.file}
          options={[{ value: "", name: "–" }, ...names(texts, lines.file)]}
          onValue={(file) => onLines({ ...lines, file })}
        />
      </FormField>
      <FormField label={t.position}>
        <Select
          value={lines.position}
          options={[{ value: "", name: "–" }, ...names(["number"], lines.position)]}
          onValue={(position) => onLines({ ...lines, position })}
        />
      </FormField>
      <FormField label={t.host}>
        <Select
          value={lines.host}
          options={[{ value: "", name: t.noHost }, ...names(texts, lines.host)]}
          onValue={(host) => onLines({ ...lines, host })}
        />
      </FormField>
    </div>
  );
}

function More({
  enough,
  none,
  name,
  full,
  onMore,
}: {
  enough: boolean;
  none: string;
  name: string;
  full: boolean;
  onMore: () => void;
}) {
  if (enough) return <p className="quiet small">{none}</p>;
  return (
    <div>
      <Button small disabled={full} onClick={onMore}>
        {name}
      </Button>
    </div>
  );
}

interface LineProps {
  hit: Hit;
  lines: Lines;
  timeField: string;
}

function Line({ onOpen, ...props }: LineProps & { onOpen: (hit: Hit) => void }) {
  return (
    <li>
      <button type="button" onClick={() => onOpen(props.hit)}>
        <LineText {...props} />
      </button>
    </li>
  );
}

function LineText({ hit, lines, timeField }: LineProps) {
  const source = hit._source ?? {};
  const at = timeField ? timeOf({ ...hit, sort: [] }, timeField) : undefined;
  const line = lineField(source);
  return (
    <>
      <span className="quiet num search-line-at" title={at && absolute(at)}>
        {at ? clock(at) : show(valueAt(source, lines.position))}
      </span>
      <span className="search-line-text">{show(line ? valueAt(source, line) : source)}</span>
    </>
  );
}
