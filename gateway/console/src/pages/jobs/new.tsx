import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { dropDraft, keepDraft, draft as keptDraft } from "@/app/draft";
import { part } from "@/app/url";
import { useText } from "@/i18n";
import { brokersIn } from "@/sql/names";
import { writes } from "@/sql/statements";
import { Button, Input, Notice, Page, useToast } from "@/ui";
import { NAME } from "./actions";
import { record } from "./check";
import { text } from "./text";
import { type Draft, Workbench } from "./workbench";

/** example is what the editor begins with: a table of a topic and a query of it. */
const example = (brokers: string) => `-- What the messages of a topic look like. On the page Messages a topic's
-- CREATE TABLE statement is written for you.
CREATE TABLE events (
  \`@timestamp\` TIMESTAMP_LTZ(3),
  message STRING,
  log ROW<file ROW<path STRING>>,
  WATERMARK FOR \`@timestamp\` AS \`@timestamp\` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'topic-app-info',
  'properties.bootstrap.servers' = '${brokers}',
  'properties.group.id' = 'my-job',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

SELECT \`@timestamp\`, log.file.path, message FROM events;
`;

/** NewJob is the editor of a job that is not kept yet; what one writes stays until it is created. */
export function NewJob() {
  const t = useText(text);
  const may = useSession().may("operator");
  const toast = useToast();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }) });
  const brokers = brokersIn((jobs.data?.jobs ?? []).flatMap((job) => job.sql ?? [])) ?? "127.0.0.1:9092";
  const [kept, setKept] = useState<Draft | undefined>(() => {
    const sql = keptDraft();
    return sql === undefined ? undefined : { sql, parameters: [] };
  });
  const draft = useMemo<Draft>(() => kept ?? { sql: example(brokers), parameters: [] }, [kept, brokers]);
  const create = useMutation({
    mutationFn: async (start: boolean) => {
      await api.post("/api/v1/jobs", { body: { name, sql: draft.sql, parameters: record(draft), start } });
    },
    onSuccess: () => {
      dropDraft();
      toast({ message: t.savedToast(name) });
      queries.invalidateQueries({ queryKey: ["jobs"] });
      navigate(`/jobs/${part(name)}`);
    },
  });
  const named = NAME.test(name);
  const inserts = writes(draft.sql);
  return (
    <Page title={t.newJob} parent={{ name: t.title, path: "/jobs" }} place="jobs" fill>
      {create.error && (
        <Notice tone="bad">
          <p className="pre">{create.error.message}</p>
        </Notice>
      )}
      <Workbench
        draft={draft}
        changed
        onDraft={(next) => {
          setKept(next);
          if (next) keepDraft(next.sql);
        }}
        beside={(valid) => {
          const ready = valid && named && inserts && may && !create.isPending;
          const why = !may ? t.needsOperator : !inserts ? t.writesNothing : named ? undefined : t.nameRule;
          return (
            <>
              {!inserts && valid && <span className="quiet small">{t.writesNothing}</span>}
              <Input
                label={t.namePlaceholder}
                placeholder={t.namePlaceholder}
                value={name}
                onChange={(e) => setName(e.target.value)}
              />
              <Button disabled={!ready} title={why} onClick={() => create.mutate(false)}>
                {t.create}
              </Button>
              <Button look="primary" disabled={!ready} title={why} onClick={() => create.mutate(true)}>
                {t.createStart}
              </Button>
            </>
          );
        }}
      />
    </Page>
  );
}
