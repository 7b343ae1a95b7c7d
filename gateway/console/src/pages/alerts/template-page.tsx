import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { useKept } from "@/app/kept";
import { part } from "@/app/url";
import { whole } from "@/format";
import { useText } from "@/i18n";
import {
  Badge,
  Button,
  Check,
  CodeEditor,
  Copy,
  Failed,
  Field,
  Input,
  Notice,
  QueryView,
  Select,
  useToast,
} from "@/ui";
import { Frame } from "./frame";
import { text } from "./template-text";
import type { Template } from "./templates";
import { AlertChoice } from "./test-dialog";

const CHANNELS = [
  "wecom_bot",
  "wecom_bot_text",
  "dingtalk",
  "feishu",
  "tencent_sms",
  "tencent_voice",
  "twilio_sms",
  "twilio_call",
  "email",
];
const FIRST = `{{ range .Alerts }}- {{ .Annotations.summary }}
{{ end }}`;

function putTemplate(one: Template) {
  const { name = "", channel = "", language = "", description = "" } = one;
  return api.put("/api/v1/templates", { body: { name, channel, language, description, text: one.text ?? "" } });
}

export function NewTemplate() {
  return <Editor kept="template" before={undefined} />;
}

export function TemplatePage({ id }: { id: string }) {
  const template = useQuery({
    queryKey: ["template", id],
    queryFn: ({ signal }) => api.get("/api/v1/templates/{id}", { path: { id }, signal }),
    placeholderData: undefined,
  });
  const known = template.data?.template;
  if (!known) {
    return (
      <Frame view="templates" title={id}>
        <QueryView query={template}>{() => null}</QueryView>
      </Frame>
    );
  }
  const version = known.updatedAt ?? "shipped";
  return <Editor key={version} kept={`template.${id}.${version}`} before={known} />;
}

function Editor({ kept, before }: { kept: string; before: Template | undefined }) {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const [, navigate] = useLocation();
  const [draft, setDraft, drop, restored] = useKept<Template>(
    kept,
    () => before ?? { name: "", channel: "text", language: "", text: FIRST, description: "" },
  );
  const set = (change: Partial<Template>) => setDraft({ ...draft, ...change });
  const id = before?.id ?? [draft.name, draft.channel, draft.language].filter(Boolean).join(".");
  const keys = [["templates"], ["template"]];
  const save = useChange(keys, putTemplate, {
    tell: false,
    onDone: (answer) => {
      drop();
      const saved = answer.template?.id ?? id;
      toast({ message: t.saved(saved), ...(before && !before.shipped ? { undo: () => again.mutate(before) } : {}) });
      navigate(`/alerts/templates/${part(saved)}`);
    },
  });
  const again = useChange(keys, putTemplate);
  const remove = useChange([["templates"]], () => api.delete("/api/v1/templates/{id}", { path: { id } }), {
    onDone: () => {
      drop();
      if (before) toast({ message: t.deleted(id), undo: () => again.mutate(before) });
      navigate("/alerts/templates");
    },
  });
  const named = /^[A-Za-z0-9_-]{1,100}$/.test(draft.name ?? "");
  const allowed = may("operator");
  return (
    <Frame
      view="templates"
      title={before?.id ?? t.create}
      beside={before?.shipped && <Badge>{t.shipped}</Badge>}
      actions={
        before &&
        !before.shipped && (
          <Button icon="trash" disabled={!allowed || remove.isPending} onClick={() => remove.mutate()}>
            {before.name === "weirflow" ? t.toShipped : t.delete}
          </Button>
        )
      }
    >
      <div className="policy">
        <form
          className="form"
          onSubmit={(e) => {
            e.preventDefault();
            if (named && allowed) save.mutate(draft);
          }}
        >
          {restored && (
            <Notice>
              <span className="row wrap between">
                {t.restored}
                <Button
                  small
                  onClick={() => {
                    drop();
                    navigate("/alerts/templates");
                  }}
                >
                  {t.discard}
                </Button>
              </span>
            </Notice>
          )}
          {before?.shipped && <Notice>{t.replaces}</Notice>}
          {!allowed && <Notice>{t.needs}</Notice>}
          {!before && (
            <div className="form-row">
              <Field label={t.name} hint={t.nameHint}>
                <Input
                  value={draft.name ?? ""}
                  aria-invalid={Boolean(draft.name) && !named}
                  maxLength={100}
                  onChange={(e) => set({ name: e.target.value })}
                />
              </Field>
              <Field label={t.channel} hint={t.channelHint}>
                <Input value={draft.channel ?? ""} maxLength={100} onChange={(e) => set({ channel: e.target.value })} />
              </Field>
              <Field label={t.language}>
                <Select
                  value={draft.language ?? ""}
                  options={[
                    { value: "", name: t.anyLanguage },
                    { value: "en", name: "en" },
                    { value: "zh", name: "zh" },
                  ]}
                  onValue={(language) => set({ language })}
                />
              </Field>
            </div>
          )}
          <Field label={t.description}>
            <Input
              value={draft.description ?? ""}
              maxLength={1000}
              onChange={(e) => set({ description: e.target.value })}
            />
          </Field>
          <div className="field">
            <span className="field-label">{t.text}</span>
            <div className="template-text">
              <CodeEditor
                language="text"
                label={t.text}
                value={draft.text ?? ""}
                minHeight={280}
                readOnly={!allowed}
                onValue={(typed) => set({ text: typed })}
              />
            </div>
          </div>
          {id && (
            <p className="row wrap small">
              <span className="soft">{t.call}</span>
              <code>{`{{ template "${id}" . }}`}</code>
              <Copy value={`{{ template "${id}" . }}`} />
            </p>
          )}
          {save.error && <Failed inline error={save.error} />}
          <div className="form-foot">
            <Button type="submit" look="primary" disabled={!named || !allowed || save.isPending}>
              {t.save}
            </Button>
            <Link className="button" href="/alerts/templates" onClick={drop}>
              {t.back}
            </Link>
          </div>
        </form>
        <Preview typed={draft.text ?? ""} language={draft.language ?? ""} />
      </div>
    </Frame>
  );
}

/** useSettled is a value once it has not changed for some time. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

function Preview({ typed, language }: { typed: string; language: string }) {
  const t = useText(text);
  const [fingerprint, setFingerprint] = useState("");
  const [resolved, setResolved] = useState(false);
  const [channel, setChannel] = useState("");
  const settled = useSettled(typed, 400);
  const preview = useQuery({
    queryKey: ["preview", settled, fingerprint, resolved, channel, language],
    queryFn: ({ signal }) =>
      api.post("/api/v1/templates:preview", {
        body: { text: settled, fingerprint, resolved, channel, language },
        signal,
      }),
    enabled: settled.trim() !== "",
    retry: false,
  });
  const measures = t.measure as Record<string, string>;
  const measure = measures[preview.data?.measure ?? ""] ?? preview.data?.measure ?? "";
  const size = preview.data?.size ?? 0;
  const limit = preview.data?.limit ?? 0;
  return (
    <section className="section" aria-label={t.preview}>
      <h2>{t.preview}</h2>
      <div className="form-row">
        <AlertChoice value={fingerprint} onValue={setFingerprint} />
        <Field label={t.as}>
          <Select
            value={channel}
            options={[{ value: "", name: t.noChannel }, ...CHANNELS.map((one) => ({ value: one, name: one }))]}
            onValue={setChannel}
          />
        </Field>
      </div>
      <Check label={t.resolved} checked={resolved} onValue={setResolved} />
      {preview.error ? (
        <Notice tone="bad">{preview.error.message}</Notice>
      ) : (
        preview.data && (
          <>
            {/* What is HTML in a mail is shown as its source: nothing of it runs here. */}
            <pre className="preview pre" tabIndex={0} aria-label={t.preview}>
              {preview.data.text}
            </pre>
            <p className="row wrap small">
              <span className={preview.data.shortened ? "late num" : "quiet num"}>
                {limit > 0 ? t.limit(whole(size), whole(limit), measure) : t.size(whole(size), measure)}
              </span>
              {preview.data.shortened && <span className="late">{t.shortened}</span>}
            </p>
          </>
        )
      )}
    </section>
  );
}
