import { useState } from "react";
import { useSession } from "@/api/session";
import { recall, remember } from "@/app/memory";
import { useText } from "@/i18n";
import { Badge } from "@/ui";
import { type Alert, otherLabels, toneOf } from "./alert";
import { text } from "./text";

export function Severity({ of }: { of: string | undefined }) {
  if (!of) return <span className="quiet">–</span>;
  const tone = toneOf(of);
  return tone ? <Badge tone={tone}>{of}</Badge> : <Badge>{of}</Badge>;
}

export function AlertStateBadge({ state }: { state: Alert["state"] }) {
  const t = useText(text);
  const known = state ?? "ALERT_STATE_UNSPECIFIED";
  return known === "ALERT_STATE_SUPPRESSED" ? (
    <Badge title={t.suppressedWhy}>{t[known]}</Badge>
  ) : known === "ALERT_STATE_ACTIVE" ? (
    <span>{t[known]}</span>
  ) : (
    <Badge tone="accent">{t[known]}</Badge>
  );
}

/** Labels shows labels as name=value. */
export function Labels({ of, all }: { of: Record<string, string> | undefined; all?: boolean }) {
  const shown = all ? Object.entries(of ?? {}) : otherLabels(of);
  if (shown.length === 0) return <span className="quiet">–</span>;
  return (
    <span className="labels">
      {shown.map(([name, value]) => (
        <span key={name} className="label mono" title={`${name}=${value}`}>
          <span className="quiet">{name}=</span>
          {value}
        </span>
      ))}
    </span>
  );
}

/** useWho is by whose name one handles alerts: the user's, or where nobody logs in the one that one gives. */
export function useWho(): { name: string; asks: boolean; setName: (name: string) => void } {
  const { user } = useSession();
  const [given, setGiven] = useState(() => recall("name") ?? "");
  return {
    name: user?.name ?? given.trim(),
    asks: user === undefined,
    setName: (name) => {
      setGiven(name);
      remember("name", name.trim());
    },
  };
}
