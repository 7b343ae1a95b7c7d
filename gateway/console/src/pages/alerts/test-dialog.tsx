import type { Schema } from "@weirflow/sdk";
import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { duration } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Badge, Button, Check, Dialog, Field, Notice, Select } from "@/ui";
import { summaryOf } from "./alert";
import { secondsOf } from "./duration";
import { useAlerts } from "./frame";
import { text } from "./template-text";

/** AlertChoice chooses an alert that goes on, or the sample. */
export function AlertChoice({ value, onValue }: { value: string; onValue: (fingerprint: string) => void }) {
  const t = useText(text);
  const alerts = useAlerts();
  return (
    <Field label={t.of}>
      <Select
        value={value}
        options={[
          { value: "", name: t.sample },
          ...(alerts.data ?? []).slice(0, 100).map((a) => ({
            value: a.fingerprint ?? "",
            name: `${a.labels?.alertname}: ${summaryOf(a)}`.slice(0, 80),
          })),
        ]}
        onValue={onValue}
      />
    </Field>
  );
}

/** TestDialog sends a test to a receiver and says what became of it. */
export function TestDialog({ receiver, onClose }: { receiver: Schema<"Receiver">; onClose: () => void }) {
  const t = useText(text);
  const { language } = useI18n();
  const [channel, setChannel] = useState("");
  const [fingerprint, setFingerprint] = useState("");
  const [resolved, setResolved] = useState(false);
  const name = receiver.name ?? "";
  const send = useChange(
    [["deliveries"]],
    () =>
      api.post("/api/v1/receivers/{receiver}:test", {
        path: { receiver: name },
        body: { channel, fingerprint, resolved },
      }),
    { tell: false },
  );
  return (
    <Dialog
      title={t.testTitle(name)}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.close}</Button>
          <Button look="primary" disabled={send.isPending} onClick={() => send.mutate()}>
            {send.isPending ? t.sending : t.send}
          </Button>
        </>
      }
    >
      <div className="form">
        <p className="soft">{t.testHint}</p>
        <div className="form-row">
          <Field label={t.channels}>
            <Select
              value={channel}
              options={[
                { value: "", name: t.allChannels },
                ...(receiver.channels ?? []).map((one) => ({ value: one, name: one })),
              ]}
              onValue={setChannel}
            />
          </Field>
          <AlertChoice value={fingerprint} onValue={setFingerprint} />
        </div>
        <Check label={t.tellEnd} checked={resolved} onValue={setResolved} />
        {send.error && <Notice tone="bad">{send.error.message}</Notice>}
        {send.data && (
          <ul className="column" role="status">
            {send.data.results?.map((result, i) => (
              <li key={`${result.channel}-${i}`} className="row wrap">
                <span className="strong">{result.channel}</span>
                {result.error ? <span className="bad pre">{result.error}</span> : <Badge>{t.delivered}</Badge>}
                <span className="quiet num">{duration((secondsOf(result.took) ?? 0) * 1000, language)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  );
}
