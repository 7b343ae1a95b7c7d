import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date, num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { href, part } from "@/app/url";
import { absolute, bytes, whole } from "@/format";
import { useText } from "@/i18n";
import { Button, Copy, Drawer, Notice, QueryView, useToast } from "@/ui";
import { decode } from "../messages/message";
import { type Letter, LetterState } from "./letters";
import { text } from "./text";

/** LetterDrawer shows a dead letter whole, lets its payload be mended, and replays or discards it. */
export function LetterDrawer({ job, id, onClose }: { job: string; id: string; onClose: () => void }) {
  const letter = useQuery({
    queryKey: ["job", job, "letter", id],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/jobs/{job}/deadletters/{id}", { path: { job, id }, signal })).letter ?? {},
    placeholderData: undefined,
  });
  return (
    <Drawer title={id} onClose={onClose} broad>
      <QueryView query={letter}>{(data) => <LetterView job={job} letter={data} onDone={onClose} />}</QueryView>
    </Drawer>
  );
}

function LetterView({ job, letter, onDone }: { job: string; letter: Letter; onDone: () => void }) {
  const t = useText(text);
  const may = useSession().may("operator");
  const toast = useToast();
  const queries = useQueryClient();
  const original = letter.text ?? "";
  const isText = original !== "" || num(letter.payloadBytes) === 0;
  const [payload, setPayload] = useState(original);
  const open = letter.state === "DEAD_LETTER_STATE_OPEN" || letter.state === undefined;
  const mended = isText && payload !== original;
  const id = letter.id ?? "";
  const deal = useMutation({
    mutationFn: async (how: "replay" | "discard") => {
      if (how === "discard") {
        const done = await api.post("/api/v1/jobs/{job}/deadletters:discard", { path: { job }, body: { ids: [id] } });
        return { ...done, done: done.discarded, notes: [] as string[] };
      }
      const body = { ids: [id], again: !open, ...(mended ? { text: payload } : {}) };
      const done = await api.post("/api/v1/jobs/{job}/deadletters:replay", { path: { job }, body });
      return { ...done, done: done.replayed, notes: done.notes ?? [] };
    },
    onSuccess: ({ done, skipped, failed, problems, notes }) => {
      queries.invalidateQueries({ queryKey: ["job", job] });
      const result = t.result(whole(num(done)), whole(num(skipped)), whole(num(failed)));
      toast({ message: [result, ...(problems ?? []).map((p) => p.message ?? ""), ...notes].join(" · ") });
      if (num(failed) === 0) onDone();
    },
  });
  return (
    <div className="column wide-gap">
      <LetterFacts letter={letter} />
      <Notice tone="bad">
        <strong>{letter.letter?.errorType}</strong>
        <p className="pre">{letter.letter?.errorMessage}</p>
      </Notice>
      <section className="section">
        <div className="row between">
          <h3>{t.payload}</h3>
          <Copy value={payload} />
        </div>
        {isText ? (
          <>
            <textarea
              className="textarea"
              rows={Math.min(24, Math.max(8, payload.split("\n").length + 1))}
              aria-label={t.payload}
              value={payload}
              readOnly={!may}
              onChange={(e) => setPayload(e.target.value)}
              spellCheck={false}
            />
            {may && <p className="quiet small">{t.mendHint}</p>}
          </>
        ) : (
          <>
            <Notice>{t.binaryPayload}</Notice>
            <pre className="pre">{letter.letter?.rawPayload}</pre>
          </>
        )}
      </section>
      {!open && <p className="late small">{t.again}</p>}
      {deal.error && <Notice tone="bad">{deal.error.message}</Notice>}
      <div className="row">
        <Button
          look="primary"
          disabled={!may || deal.isPending}
          title={may ? undefined : t.needsOperator}
          onClick={() => deal.mutate("replay")}
        >
          {mended ? t.replayMended : t.replay}
        </Button>
        <Button
          disabled={!may || !open || deal.isPending}
          title={may ? undefined : t.needsOperator}
          onClick={() => deal.mutate("discard")}
        >
          {t.discard}
        </Button>
      </div>
    </div>
  );
}

function LetterFacts({ letter }: { letter: Letter }) {
  const t = useText(text);
  const { letter: kept } = letter;
  const at = date(kept?.ingestionTs);
  const changed = date(letter.changedAt);
  return (
    <dl className="facts">
      <dt>{t.state}</dt>
      <dd>
        <LetterState state={letter.state} />
      </dd>
      <dt>{t.when}</dt>
      <dd className="num">{at ? absolute(at) : "–"}</dd>
      {changed && (
        <>
          <dt>{t.stateChanged}</dt>
          <dd className="num">{absolute(changed)}</dd>
        </>
      )}
      <dt>{t.stage}</dt>
      <dd>{kept?.stage}</dd>
      <dt>{t.table}</dt>
      <dd>{kept?.sourceTable}</dd>
      {kept?.topic && (
        <>
          <dt>{t.position}</dt>
          <dd>
            <Link
              href={href(`/messages/${part(kept.topic)}`, {
                partition: kept.partition ?? 0,
                from: "offset",
                offset: kept.offset ?? "0",
              })}
            >
              {kept.topic} · {kept.partition} · {kept.offset}
            </Link>
          </dd>
        </>
      )}
      {kept?.replayOf && (
        <>
          <dt>{t.replayOf}</dt>
          <dd className="num">{kept.replayOf}</dd>
        </>
      )}
      <dt>{t.size}</dt>
      <dd className="num">{bytes(num(letter.payloadBytes))}</dd>
      {(kept?.headers ?? []).map((header, i) => (
        <div key={i} className="letters-header">
          <dt className="mono">{header.key}</dt>
          <dd className="mono">{decode(header.value ?? "")}</dd>
        </div>
      ))}
    </dl>
  );
}
