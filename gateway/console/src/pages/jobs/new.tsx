import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { dropDraft, keepDraft, draft as keptDraft } from "@/app/draft";
import { part } from "@/app/url";
import { useText } from "@/i18n";
import { usePlaces } from "@/sql/connections";
import type { Places } from "@/sql/sink";
import { placed, writes } from "@/sql/statements";
import { Button, Input, Notice, Page, useToast } from "@/ui";
import { NAME } from "./actions";
import { record } from "./check";
import { text } from "./text";
import { type Draft, Workbench } from "./workbench";

/** example is what the editor begins with: a table of a topic, one of an index, and what goes from one to the other. */
const example = ({
  brokers,
  searchUrl,
}: Places) => `-- What the messages of a topic look like. On the page Messages a topic's
-- job is written for you.
CREATE TABLE events (
  \`@timestamp\` TIMESTAMP_LTZ(3),
  message STRING,
  log ROW<\`offset\` BIGINT, file ROW<path STRING>>,
  WATERMARK FOR \`@timestamp\` AS \`@timestamp\` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'topic-app-info',
  'properties.bootstrap.servers' = '${brokers}',
  'properties.group.id' = 'my-job',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- Where they go: an index of the search store.
CREATE TABLE events_out (
  \`@timestamp\` TIMESTAMP_LTZ(3),
  message STRING,
  \`log.file.path\` STRING,
  \`log.offset\` BIGINT
) WITH (
  'connector' = 'elasticsearch-7',
  'hosts' = '${searchUrl}',
  'index' = 'my-index',
  'json.timestamp-format.standard' = 'ISO-8601'
);

INSERT INTO events_out
SELECT \`@timestamp\`, message, log.file.path, log.\`offset\` FROM events;
`;

/** topicIn is the first topic that statements name: as good a name for the job as any. */
function topicIn(sql: string): string {
  const topic = /'topic'\s*=\s*'([^']+)'/.exec(sql)?.[1] ?? "";
  return NAME.test(topic) ? topic : "";
}

/** NewJob is the editor of a job that is not kept yet; what one writes stays until it is created. */
export function NewJob() {
  const t = useText(text);
  const may = useSession().may("operator");
  const toast = useToast();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState(() => topicIn(keptDraft() ?? ""));
  const places = usePlaces();
  const [kept, setKept] = useState<Draft | undefined>(() => {
    const sql = keptDraft();
    return sql === undefined ? undefined : { sql, parameters: [] };
  });
  const draft = useMemo<Draft>(() => kept ?? { sql: example(places), parameters: [] }, [kept, places]);
  // The statements that were to be created last: what they are refused for has places in them.
  const [tried, setTried] = useState<string>();
  const create = useMutation({
    mutationFn: async (start: boolean) => {
      setTried(draft.sql);
      await api.post("/api/v1/jobs", { body: { name, sql: draft.sql, parameters: record(draft), start } });
    },
    onSuccess: () => {
      dropDraft();
      toast({ message: t.savedToast(name) });
      queries.invalidateQueries({ queryKey: ["jobs"] });
      navigate(`/jobs/${part(name)}`);
    },
  });
  const refused = create.error?.message;
  const refusal = useMemo(
    () => (refused && tried !== undefined ? { sql: tried, message: refused } : undefined),
    [refused, tried],
  );
  const named = NAME.test(name);
  const inserts = writes(draft.sql);
  return (
    <Page title={t.newJob} parent={{ name: t.title, path: "/jobs" }} place="jobs" fill>
      {refused && !placed(refused) && (
        <Notice tone="bad">
          <p className="pre">{refused}</p>
        </Notice>
      )}
      <Workbench
        draft={draft}
        changed
        refusal={refusal}
        onDraft={(next) => {
          setKept(next);
          if (next) keepDraft(next.sql);
        }}
        beside={(valid, problem) => {
          const ready = valid && named && inserts && may && !create.isPending;
          const why = !may ? t.needsOperator : !inserts ? t.writesNothing : named ? problem : t.nameRule;
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
