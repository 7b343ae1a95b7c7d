import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { recall, remember } from "@/app/memory";
import { duration } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Badge, Button, CodeEditor, Notice } from "@/ui";
import { record } from "./check";
import { text } from "./text";
import type { Draft } from "./workbench";

const EXAMPLE = `tests:
  - name: what it keeps
    steps:
      - into: events           # a table that the job reads
        rows:
          - {message: "first"}
      - advance: 10 s
    expect:
      out:                     # a table that the job writes
        - {message: "first"}
`;

/** TestPanel runs unit tests of the statements, on rows of their own. */
export function TestPanel({ draft, name }: { draft: Draft; name: string }) {
  const t = useText(text);
  const { language } = useI18n();
  const key = `tests.${name}`;
  const [tests, setTests] = useState(() => recall(key) ?? EXAMPLE);
  useEffect(() => {
    if (tests !== EXAMPLE) remember(key, tests);
  }, [key, tests]);
  const run = useMutation({
    mutationFn: () => api.post("/api/v1/jobs:test", { body: { sql: draft.sql, parameters: record(draft), tests } }),
  });
  const results = run.data?.results;
  return (
    <div className="bench-tests">
      <div className="column">
        <div className="toolbar">
          <Button small icon="play" disabled={run.isPending} onClick={() => run.mutate()}>
            {t.runTests}
          </Button>
          <span className="quiet small">{t.testsHint}</span>
        </div>
        <CodeEditor
          label={t.testsLabel}
          language="text"
          value={tests}
          onValue={setTests}
          keys={{ "Mod-Enter": () => run.mutate() }}
          minHeight={220}
        />
        <p className="quiet small">{t.testsKept}</p>
      </div>
      <div className="column">
        {run.error && (
          <Notice tone="bad">
            <p className="pre">{run.error.message}</p>
          </Notice>
        )}
        {results && (
          <p role="status">
            {results.length === 0
              ? t.noTests
              : t.summary(results.filter((result) => result.passed).length, results.length)}
          </p>
        )}
        <ul className="column">
          {(results ?? []).map((result, i) => (
            <li key={i} className="column">
              <span className="row">
                <Badge tone={result.passed ? undefined : "bad"}>{result.passed ? t.passed : t.failedTest}</Badge>
                <span className="strong break">{result.name}</span>
                <span className="quiet num">{duration(num(result.durationMillis), language)}</span>
              </span>
              {result.difference && <pre className="bench-difference">{result.difference}</pre>}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
