import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, Empty, QueryView, Select, useToast } from "@/ui";
import { text } from "./text";
import { type Draft, draftOf } from "./workbench";

type Version = Schema<"JobVersion">;

/** Versions show how a job's statements were, and what changed from one to the next. */
export function Versions({ name, onLoad }: { name: string; onLoad: (draft: Draft) => void }) {
  const t = useText(text);
  const versions = useQuery({
    queryKey: ["job", name, "versions"],
    queryFn: async ({ signal }) =>
      (await api.get("/api/v1/jobs/{job}/versions", { path: { job: name }, signal })).versions ?? [],
  });
  return (
    <QueryView query={versions}>
      {(list) => (list.length === 0 ? <Empty title={t.noVersions} /> : <VersionView versions={list} onLoad={onLoad} />)}
    </QueryView>
  );
}

function VersionView({ versions, onLoad }: { versions: Version[]; onLoad: (draft: Draft) => void }) {
  const t = useText(text);
  const toast = useToast();
  const [chosen, setChosen] = useState(0);
  const [against, setAgainst] = useState("before");
  const version = versions[chosen];
  const other = against === "before" ? versions[chosen + 1] : versions[0];
  if (!version) return null;
  return (
    <div className="versions">
      <ol className="versions-list" aria-label={t.versions}>
        {versions.map((one, i) => (
          <li key={one.version}>
            <button type="button" className="menu-item" aria-pressed={i === chosen} onClick={() => setChosen(i)}>
              <span className="strong num">{one.version}</span>
              <span className="grow soft">
                <Ago at={date(one.at)} />
              </span>
              {i === 0 && <Badge tone="accent">{t.current}</Badge>}
            </button>
          </li>
        ))}
      </ol>
      <div className="column grow">
        <div className="toolbar">
          <Select
            label={t.against}
            value={against}
            options={[
              { value: "before", name: t.against },
              { value: "now", name: t.againstNow },
            ]}
            onValue={setAgainst}
          />
          <span className="grow" />
          <Button
            small
            icon="edit"
            onClick={() => {
              onLoad(draftOf({ sql: version.sql ?? "", parameters: version.parameters ?? {} }));
              toast({ message: t.loaded });
            }}
          >
            {t.load}
          </Button>
        </div>
        {other ? (
          against === "before" ? (
            <Difference from={scriptOf(other)} to={scriptOf(version)} />
          ) : (
            <Difference from={scriptOf(version)} to={scriptOf(other)} />
          )
        ) : (
          <>
            <p className="quiet">{t.first}</p>
            <pre className="versions-diff" tabIndex={0}>
              {version.sql}
            </pre>
          </>
        )}
      </div>
    </div>
  );
}

/** scriptOf is a version as one text: parameters as SET statements before it. */
function scriptOf(version: Version): string {
  const settings = Object.entries(version.parameters ?? {}).map(([key, value]) => `SET '${key}' = '${value}';\n`);
  return settings.sort().join("") + (version.sql ?? "");
}

interface DiffLine {
  sign: "+" | "-" | " ";
  text: string;
}

function Difference({ from, to }: { from: string; to: string }) {
  const t = useText(text);
  const lines = useQuery({
    queryKey: ["difference", from, to],
    queryFn: async (): Promise<DiffLine[]> => {
      const { diffLines } = await import("diff");
      return diffLines(from, to).flatMap((part) =>
        part.value
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => ({ sign: part.added ? "+" : part.removed ? "-" : " ", text: line }) as DiffLine),
      );
    },
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: undefined,
  });
  const shown = useMemo(() => lines.data ?? [], [lines.data]);
  if (from === to) return <p className="quiet">{t.same}</p>;
  return (
    <div className="versions-diff mono" role="region" tabIndex={0} aria-label={t.against}>
      {shown.map((line, i) => (
        <div
          key={i}
          className={line.sign === "+" ? "diff-line added" : line.sign === "-" ? "diff-line removed" : "diff-line"}
        >
          <span className="diff-sign">{line.sign}</span>
          <span className="pre">{line.text}</span>
        </div>
      ))}
    </div>
  );
}
