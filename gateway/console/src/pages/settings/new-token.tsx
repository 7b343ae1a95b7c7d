import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { type Role, roleOf, useSession } from "@/api/session";
import { useText } from "@/i18n";
import { Button, Check, Copy, Dialog, Field, Input, Notice, Select } from "@/ui";
import { text } from "./tokens-text";
import { ROLES } from "./user-dialogs";

const LIFETIMES = [7, 30, 90, 180, 365];

// The areas of the API that a token can be bound to.
const SCOPES = [
  "agents",
  "alerts",
  "audit",
  "dashboards",
  "deadletters",
  "events",
  "jobs",
  "messages",
  "metrics",
  "search",
  "status",
  "tokens",
  "topics",
  "users",
];

/** NewToken makes a token and shows its secret, once. */
export function NewToken({ onClose }: { onClose: () => void }) {
  const t = useText(text);
  const { may } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<(typeof ROLES)[number]>("ROLE_VIEWER");
  const [scopes, setScopes] = useState<string[]>([]);
  const [lifetime, setLifetime] = useState("90");
  const [days, setDays] = useState("14");
  const lasts = Number(lifetime === "other" ? days : lifetime);
  const create = useChange(
    [["tokens"]],
    () => api.post("/api/v1/tokens", { body: { name: name.trim(), role, scopes, lifetimeDays: lasts } }),
    { tell: false },
  );
  if (create.data?.secret) return <Secret secret={create.data.secret} onClose={onClose} />;
  const ready = name.trim() !== "" && Number.isInteger(lasts) && lasts >= 1 && lasts <= 365;
  return (
    <Dialog
      title={t.create}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!ready || create.isPending} onClick={() => create.mutate()}>
            {t.save}
          </Button>
        </>
      }
    >
      <Field label={t.name} hint={t.nameHint}>
        <Input value={name} maxLength={100} onChange={(e) => setName(e.target.value)} />
      </Field>
      <Field label={t.role} hint={t.roleHint}>
        <Select
          value={role}
          options={ROLES.filter((one) => may(roleOf(one) as Role)).map((one) => ({
            value: one,
            name: roleOf(one) ?? "",
          }))}
          onValue={(one) => setRole(one as (typeof ROLES)[number])}
        />
      </Field>
      <Field label={t.lifetime}>
        <Select
          value={lifetime}
          options={[
            ...LIFETIMES.map((n) => ({ value: String(n), name: t.days(n) })),
            { value: "other", name: t.other },
          ]}
          onValue={setLifetime}
        />
      </Field>
      {lifetime === "other" && (
        <Field label={t.daysField}>
          <Input type="number" min={1} max={365} value={days} onChange={(e) => setDays(e.target.value)} />
        </Field>
      )}
      <div className="column" role="group" aria-label={t.scopes}>
        <span className="soft small">
          {t.scopes} · {t.scopesHint}
        </span>
        <div className="scopes">
          {SCOPES.map((scope) => (
            <Check
              key={scope}
              label={scope}
              checked={scopes.includes(scope)}
              onValue={(on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
            />
          ))}
        </div>
      </div>
      {create.error && <Notice tone="bad">{create.error.message}</Notice>}
    </Dialog>
  );
}

function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const t = useText(text);
  return (
    <Dialog
      title={t.secretTitle}
      onClose={onClose}
      foot={
        <Button look="primary" onClick={onClose}>
          {t.close}
        </Button>
      }
    >
      <Notice tone="late">{t.secretHint}</Notice>
      <p className="secret">
        <code className="grow">{secret}</code>
        <Copy value={secret} label={t.copy} />
      </p>
      <p className="soft small">{t.example}</p>
      <pre className="secret pre" tabIndex={0}>
        curl -H 'Authorization: Bearer …' {location.origin}/api/v1/jobs
      </pre>
    </Dialog>
  );
}
