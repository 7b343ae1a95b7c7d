import { ApiError, Code } from "@weirflow/sdk";
import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { texts, useText } from "@/i18n";
import { Button } from "./controls";
import { Icon } from "./icons";

const text = texts(
  {
    failed: "This could not be loaded",
    noAnswer: "The server does not answer",
    noAnswerTry: "Is Weirflow running, and is this machine online? It is asked again by itself.",
    unavailable: "A part of Weirflow is away",
    unavailableTry: "Look at Settings → Services for what is not ready, then try again.",
    notFound: "There is no such thing here",
    notFoundTry: "It may have been deleted or renamed.",
    tooMany: "Too many requests",
    tooManyTry: "Wait some seconds and try again.",
    noSession: "You are logged out",
    noSessionTry: "Log in again to go on.",
    login: "Log in",
    notAllowed: "You may not see this",
    notAllowedTry: (role: string) => `It needs the role ${role}. Ask an administrator of this installation.`,
    yourRole: (role: string) => `Your role is ${role}.`,
    another: "operator or admin",
    retry: "Try again",
    loading: "Loading",
    code: "Code",
  },
  {
    failed: "加载失败",
    noAnswer: "服务器没有响应",
    noAnswerTry: "请确认 Weirflow 正在运行、本机网络正常。页面会自动重试。",
    unavailable: "Weirflow 的某个服务不可用",
    unavailableTry: "请到“设置 → 服务”查看哪个部分未就绪，然后重试。",
    notFound: "找不到该对象",
    notFoundTry: "它可能已被删除或改名。",
    tooMany: "请求过于频繁",
    tooManyTry: "请等几秒后重试。",
    noSession: "登录已失效",
    noSessionTry: "请重新登录后继续。",
    login: "登录",
    notAllowed: "没有权限查看",
    notAllowedTry: (role: string) => `需要 ${role} 角色，请联系管理员。`,
    yourRole: (role: string) => `您当前的角色是 ${role}。`,
    another: "operator 或 admin",
    retry: "重试",
    loading: "加载中",
    code: "错误码",
  },
);

/** Empty says that there is nothing, and what to do next. */
export function Empty({
  title,
  children,
  action,
  inline,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  inline?: boolean;
}) {
  return (
    <div className={inline ? "state inline" : "state"}>
      <h2>{title}</h2>
      {children && <div>{children}</div>}
      {action}
    </div>
  );
}

/** describe puts an error in words: what failed, why, and the one thing to try. */
function describe(error: unknown, t: typeof text.en) {
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ApiError)) return { what: t.failed, why, next: "" };
  switch (error.code) {
    case Code.UNAVAILABLE:
      return error.status === 0
        ? { what: t.noAnswer, why, next: t.noAnswerTry }
        : { what: t.unavailable, why, next: t.unavailableTry };
    case Code.NOT_FOUND:
      return { what: t.notFound, why, next: t.notFoundTry };
    case Code.RESOURCE_EXHAUSTED:
      return { what: t.tooMany, why, next: t.tooManyTry };
    case Code.UNAUTHENTICATED:
      return { what: t.noSession, why, next: t.noSessionTry };
    default:
      return { what: t.failed, why, next: "" };
  }
}

/** Failed shows an error: what failed, why, what to try; without permission, which role has it. */
export function Failed({
  error,
  retry,
  title,
  inline,
}: {
  error: unknown;
  retry?: () => void;
  title?: string;
  inline?: boolean;
}) {
  const t = useText(text);
  if (error instanceof ApiError && error.code === Code.PERMISSION_DENIED) {
    return <NotAllowed why={error.message} role={roleIn(error.message)} inline={inline} />;
  }
  const { what, why, next } = describe(error, t);
  const loggedOut = error instanceof ApiError && error.code === Code.UNAUTHENTICATED;
  return (
    <div className={inline ? "state inline" : "state"} role="alert">
      <span className="bad">
        <Icon name="warn" size={20} />
      </span>
      <h2>{title ?? what}</h2>
      <p className="break">{why}</p>
      {next && <p className="quiet">{next}</p>}
      {loggedOut ? (
        <a className="button primary" href={`/login?next=${encodeURIComponent(location.pathname + location.search)}`}>
          {t.login}
        </a>
      ) : (
        retry && (
          <Button icon="refresh" onClick={retry}>
            {t.retry}
          </Button>
        )
      )}
    </div>
  );
}

/** roleIn finds the role that a refusal names. */
function roleIn(message: string): string | undefined {
  return /\b(viewer|operator|admin)\b/.exec(message)?.[1];
}

/** NotAllowed says which role has the permission that is missing. */
export function NotAllowed({
  role,
  why,
  inline,
}: {
  role?: string | undefined;
  why?: string;
  inline?: boolean | undefined;
}) {
  const t = useText(text);
  const session = useSession();
  return (
    <div className={inline ? "state inline" : "state"} role="alert">
      <h2>{t.notAllowed}</h2>
      <p>{t.notAllowedTry(role ?? t.another)}</p>
      {session.role && <p className="quiet">{t.yourRole(session.role)}</p>}
      {why && <p className="quiet small break">{why}</p>}
    </div>
  );
}

/** Loading keeps the layout: grey lines where text will be. */
export function Loading({ lines = 6 }: { lines?: number }) {
  const t = useText(text);
  return (
    <div className="column wide-gap" role="status" aria-label={t.loading} style={{ padding: 16 }}>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} className="skeleton" style={{ width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** Notice is a line of warning or information within a page. */
export function Notice({ tone, children }: { tone?: "bad" | "late"; children: ReactNode }) {
  return (
    <div className={`notice ${tone ?? ""}`} role={tone === "bad" ? "alert" : undefined}>
      {tone && (
        <span style={{ flex: "none", paddingTop: 2 }}>
          <Icon name="warn" />
        </span>
      )}
      <div className="grow">{children}</div>
    </div>
  );
}

/** QueryView shows a query's answer, or that it loads or failed. Old answers stay while new ones load. */
export function QueryView<T>({
  query,
  children,
  lines,
}: {
  query: { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };
  children: (data: T) => ReactNode;
  lines?: number;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} retry={() => query.refetch()} />;
  return <Loading lines={lines} />;
}
