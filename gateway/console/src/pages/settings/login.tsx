import { useMutation } from "@tanstack/react-query";
import { ApiError, Code } from "@weirflow/sdk";
import { useEffect, useState } from "react";
import { Redirect, useSearchParams } from "wouter";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { href } from "@/app/url";
import { LANGUAGES, useI18n, useText } from "@/i18n";
import { useTheme } from "@/theme/theme";
import { Button, Field, IconButton, Input, Loading, Menu, Notice } from "@/ui";
import { text } from "./login-text";
import { safeNext } from "./next";
import "./settings.css";

/** LoginPage asks for name and password, or leads to the OpenID provider, and back to where one came from. */
export default function LoginPage() {
  const t = useText(text);
  const session = useSession();
  const [params] = useSearchParams();
  const next = safeNext(params.get("next"), location.origin);
  useEffect(() => {
    document.title = `${t.title} · Weirflow`;
  }, [t]);
  if (session.role) return <Redirect to={next} replace />;
  return (
    <main className="login">
      <div className="login-top">
        <Looks />
      </div>
      <div className="login-box">
        <div className="login-brand">
          <svg width="32" height="32" viewBox="0 0 32 32" aria-hidden="true">
            <rect className="brand-box" width="32" height="32" rx="7" />
            <path className="brand-wave" d="M5 11c4 0 4 3 8 3s4-3 8-3 3 3 6 3M5 18c4 0 4 3 8 3s4-3 8-3 3 3 6 3" />
          </svg>
          <h1 className="grow">Weirflow</h1>
          {session.environment && <span className="environment clip">{session.environment}</span>}
        </div>
        {session.loading ? <Loading lines={3} /> : <Form next={next} failed={params.get("error") ?? ""} />}
      </div>
    </main>
  );
}

function Form({ next, failed }: { next: string; failed: string }) {
  const t = useText(text);
  const session = useSession();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => api.post("/api/v1/session", { body: { name: name.trim(), password } }),
    onSuccess: () => session.renew(),
    onError: () => setPassword(""),
  });
  const wrong = login.error instanceof ApiError && login.error.code === Code.UNAUTHENTICATED;
  return (
    <>
      {failed && (
        <Notice tone="bad">
          {t.failed}: {failed}
        </Notice>
      )}
      <form
        className="column wide-gap"
        onSubmit={(e) => {
          e.preventDefault();
          if (name.trim() && password) login.mutate();
        }}
      >
        <Field label={t.name}>
          <Input
            autoFocus
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            value={name}
            onChange={(e) => setName(e.target.value)}
          />
        </Field>
        <Field label={t.password}>
          <Input
            type="password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(e) => setPassword(e.target.value)}
          />
        </Field>
        {login.error && (
          <p className="bad" role="alert">
            {wrong ? t.wrong : login.error.message}
          </p>
        )}
        <Button type="submit" look="primary" disabled={!name.trim() || !password || login.isPending}>
          {login.isPending ? t.busy : t.login}
        </Button>
      </form>
      {session.oidcName && (
        <>
          <p className="login-or small">{t.or}</p>
          <a className="button" href={href("/auth/oidc/start", { return: next })}>
            {t.with(session.oidcName)}
          </a>
        </>
      )}
      {next !== "/flow" && <p className="quiet small">{t.back}</p>}
    </>
  );
}

function Looks() {
  const t = useText(text);
  const { language, setLanguage } = useI18n();
  const { dark, setChoice } = useTheme();
  return (
    <>
      <Menu
        label={t.language}
        icon="language"
        items={LANGUAGES.map((one) => ({
          id: one.id,
          name: one.name,
          checked: one.id === language,
          onChoose: () => setLanguage(one.id),
        }))}
      />
      <IconButton icon={dark ? "moon" : "sun"} label={t.theme} onClick={() => setChoice(dark ? "light" : "dark")} />
    </>
  );
}
