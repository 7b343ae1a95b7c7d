import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { keepDraft } from "@/app/draft";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { usePlaces } from "@/sql/connections";
import type { Part } from "@/sql/lines";
import { linesOf, starter } from "@/sql/starter";
import { Button, Check, Copy, Dialog } from "@/ui";
import type { Message } from "./message";
import { PartList } from "./parts";
import { text } from "./text";

/** TableDialog shows the CREATE TABLE statement that reads these messages, and begins a job with it. */
export function TableDialog({ topic, messages, onClose }: { topic: string; messages: Message[]; onClose: () => void }) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const places = usePlaces();
  // What one looked at when the dialog was opened: columns that one edits stay while messages come.
  const [sample] = useState(() =>
    messages.filter((message) => !message.truncated).flatMap((message) => message.text ?? []),
  );
  const lines = useMemo(() => linesOf(sample), [sample]);
  const [useTime, setUseTime] = useState(true);
  const [apart, setApart] = useState((lines?.parts.length ?? 0) > 0);
  const [parts, setParts] = useState<Part[]>(lines?.parts ?? []);
  const { inferred, rest } = useMemo(
    () =>
      starter(sample, topic, { time: useTime ? lines?.time : undefined, parts: lines && apart ? parts : [] }, places),
    [sample, topic, lines, useTime, apart, parts, places],
  );
  // Another time is the messages' own: what it means, they know best.
  const known = lines !== undefined && (inferred.read === "@timestamp" || inferred.read === "record_time");
  const start = () => {
    keepDraft(`${inferred.sql}\n${rest}`);
    navigate("/jobs/new");
  };
  return (
    <Dialog
      title={t.tableTitle}
      broad
      onClose={onClose}
      foot={
        <>
          <Copy label={t.copy} value={inferred.sql} small={false} />
          <Button look="primary" onClick={start}>
            {t.startJob}
          </Button>
        </>
      }
    >
      <div className="column">
        <p className="quiet">{t.tableHint(whole(inferred.used), whole(inferred.skipped))}</p>
        {lines?.time ? (
          <div>
            <Check label={t.lineTime} checked={useTime} onValue={setUseTime} />
            <p className="small quiet">
              {!useTime
                ? known && t.readTime(inferred.read)
                : lines.time.zone === "none"
                  ? t.lineTimeLocal
                  : t.lineTimeHint}
            </p>
          </div>
        ) : (
          known && <p className="small quiet">{t.readTime(inferred.read)}</p>
        )}
        {lines && (
          <>
            <Check label={t.takeApart} checked={apart} onValue={setApart} />
            {apart && <PartList parts={parts} lines={lines.texts} onParts={setParts} />}
          </>
        )}
        <section className="messages-script" tabIndex={0} aria-label={t.tableTitle}>
          <pre className="messages-sql">{inferred.sql}</pre>
          <p className="small quiet">{t.jobWrites}</p>
          <pre>{rest}</pre>
        </section>
      </div>
    </Dialog>
  );
}
