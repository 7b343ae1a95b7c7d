import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { keepDraft } from "@/app/draft";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { inferTable } from "@/sql/infer";
import { brokersIn } from "@/sql/names";
import { Button, Copy, Dialog } from "@/ui";
import type { Message } from "./message";
import { text } from "./text";

/** TableDialog shows the CREATE TABLE statement that reads these messages, and begins a job with it. */
export function TableDialog({ topic, messages, onClose }: { topic: string; messages: Message[]; onClose: () => void }) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }) });
  const inferred = useMemo(() => {
    const scripts = (jobs.data?.jobs ?? []).flatMap((job) => job.sql ?? []);
    const whole = messages.filter((message) => !message.truncated).flatMap((message) => message.text ?? []);
    return inferTable(whole, { topic, brokers: brokersIn(scripts) });
  }, [jobs.data, messages, topic]);
  const start = () => {
    const columns = inferred.columns.length > 0 ? inferred.columns.slice(0, 6).join(", ") : "*";
    keepDraft(`${inferred.sql}\nSELECT ${columns} FROM ${inferred.table};\n`);
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
      <p className="quiet">{t.tableHint(whole(inferred.used), whole(inferred.skipped))}</p>
      <pre className="messages-sql" tabIndex={0}>
        {inferred.sql}
      </pre>
    </Dialog>
  );
}
