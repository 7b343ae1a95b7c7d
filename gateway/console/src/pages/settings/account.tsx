import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { type Role, useSession } from "@/api/session";
import { Ago } from "@/format";
import { LANGUAGES, useI18n, useText } from "@/i18n";
import { type ThemeChoice, useTheme } from "@/theme/theme";
import { Button, Field, Input, Notice, useToast } from "@/ui";
import { Frame } from "./frame";
import { passwordProblem } from "./next";
import { text } from "./text";

const THEMES: ThemeChoice[] = ["system", "light", "dark"];
const ROLES: Role[] = ["viewer", "operator", "admin"];

/** Account is who one is here, and how the console looks to one. */
export function Account() {
  return (
    <Frame view="account">
      <div className="settings-columns">
        <Who />
        <Looks />
        <Password />
      </div>
    </Frame>
  );
}

/** useLogout ends the session and leads to the login. */
export function useLogout() {
  const queries = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: () => api.delete("/api/v1/session"),
    onSuccess: () => {
      api.forgetSession();
      queries.clear();
      location.assign("/login");
    },
    onError: (error) => toast({ message: error.message }),
  });
}

function Who() {
  const t = useText(text);
  const { user, open, role, oidcName } = useSession();
  const logout = useLogout();
  return (
    <section className="section">
      <h2>{t.you}</h2>
      {open ? (
        <>
          <p className="strong">{t.openTitle}</p>
          <p className="soft">{t.openHint}</p>
          <p>
            <Link href="/settings/users">{t.firstUser}</Link>
          </p>
        </>
      ) : (
        <>
          <dl className="facts">
            <dt>{t.name}</dt>
            <dd>
              <span className="strong">{user?.displayName || user?.name}</span>{" "}
              {user?.displayName && <span className="quiet">{user.name}</span>}{" "}
              {user?.external && <span className="quiet">{t.external(oidcName)}</span>}
            </dd>
            <dt>{t.role}</dt>
            <dd>{role}</dd>
            <dt>{t.lastLogin}</dt>
            <dd>
              <Ago at={date(user?.lastLoginAt)} />
            </dd>
          </dl>
          <div>
            <Button disabled={logout.isPending} onClick={() => logout.mutate()}>
              {t.logout}
            </Button>
          </div>
        </>
      )}
      <dl className="facts small">
        {ROLES.map((one) => (
          <RoleLine key={one} role={one} mine={one === role} />
        ))}
      </dl>
    </section>
  );
}

function RoleLine({ role, mine }: { role: Role; mine: boolean }) {
  const t = useText(text);
  return (
    <>
      <dt className={mine ? "strong" : undefined}>{t[role]}</dt>
      <dd className="soft">{t[`${role}May`]}</dd>
    </>
  );
}

function Looks() {
  const t = useText(text);
  const { language, setLanguage } = useI18n();
  const { choice, setChoice } = useTheme();
  return (
    <section className="section">
      <h2>{t.look}</h2>
      <span className="soft small">{t.language}</span>
      <div className="choices" role="group" aria-label={t.language}>
        {LANGUAGES.map((one) => (
          <Button key={one.id} aria-pressed={one.id === language} lang={one.tag} onClick={() => setLanguage(one.id)}>
            {one.name}
          </Button>
        ))}
      </div>
      <span className="soft small">{t.theme}</span>
      <div className="choices" role="group" aria-label={t.theme}>
        {THEMES.map((one) => (
          <Button
            key={one}
            icon={one === "system" ? "system" : one === "light" ? "sun" : "moon"}
            aria-pressed={one === choice}
            onClick={() => setChoice(one)}
          >
            {t[one]}
          </Button>
        ))}
      </div>
    </section>
  );
}

function Password() {
  const t = useText(text);
  const { user, renew } = useSession();
  const toast = useToast();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [repeat, setRepeat] = useState("");
  const change = useMutation({
    mutationFn: () => api.post("/api/v1/session:changePassword", { body: { oldPassword: old, newPassword: fresh } }),
    onSuccess: () => {
      setOld("");
      setFresh("");
      setRepeat("");
      toast({ message: t.changed });
      // The session goes on as a new one, with another CSRF token.
      return renew();
    },
  });
  if (!user) return null;
  if (user.external) {
    return (
      <section className="section">
        <h2>{t.password}</h2>
        <p className="soft">{t.externalPassword}</p>
      </section>
    );
  }
  const problem = passwordProblem(fresh, repeat);
  return (
    <section className="section">
      <h2>{t.password}</h2>
      <form
        className="settings-form"
        onSubmit={(e) => {
          e.preventDefault();
          if (!problem && old) change.mutate();
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={user.name ?? ""} readOnly />
        <Field label={t.oldPassword}>
          <Input type="password" autoComplete="current-password" value={old} onChange={(e) => setOld(e.target.value)} />
        </Field>
        <Field
          label={t.newPassword}
          hint={fresh && problem === "short" ? <span className="bad">{t.short}</span> : t.passwordHint}
        >
          <Input type="password" autoComplete="new-password" value={fresh} onChange={(e) => setFresh(e.target.value)} />
        </Field>
        <Field label={t.repeat} hint={repeat && problem === "differ" && <span className="bad">{t.differ}</span>}>
          <Input
            type="password"
            autoComplete="new-password"
            value={repeat}
            onChange={(e) => setRepeat(e.target.value)}
          />
        </Field>
        {change.error && <Notice tone="bad">{change.error.message}</Notice>}
        <div>
          <Button type="submit" look="primary" disabled={!old || problem !== undefined || change.isPending}>
            {t.change}
          </Button>
        </div>
      </form>
    </section>
  );
}
