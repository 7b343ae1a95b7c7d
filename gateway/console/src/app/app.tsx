import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { ApiError, Code } from "@weirflow/sdk";
import { Component, type ReactNode, Suspense, useEffect } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { api } from "@/api/client";
import { SessionProvider, useSession } from "@/api/session";
import { I18nProvider, useText } from "@/i18n";
import { ThemeProvider } from "@/theme/theme";
import { Button, Empty, Failed, Loading } from "@/ui";
import { ToastProvider } from "@/ui/overlays";
import { LoginPage, SECTIONS } from "./routes";
import { Shell } from "./shell";
import { text } from "./text";

const FINAL: number[] = [
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.PERMISSION_DENIED,
  Code.UNAUTHENTICATED,
  Code.UNIMPLEMENTED,
  Code.FAILED_PRECONDITION,
];

/**
 * loggedOut asks again who one is when the API says that nobody is logged in: a session
 * that has ended leads to the login, and from there back.
 */
function loggedOut(error: unknown, about?: readonly unknown[]) {
  if (about?.[0] === "session" || !(error instanceof ApiError) || error.code !== Code.UNAUTHENTICATED) return;
  api.forgetSession();
  void queries.invalidateQueries({ queryKey: ["session"] });
}

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => loggedOut(error, query.queryKey) }),
  mutationCache: new MutationCache({ onError: (error) => loggedOut(error) }),
  defaultOptions: {
    queries: {
      retry: (count, error) => count < 2 && !(error instanceof ApiError && FINAL.includes(error.code)),
      staleTime: 1000,
      refetchOnWindowFocus: true,
      placeholderData: (before: unknown) => before,
    },
  },
});

export function App() {
  return (
    <I18nProvider>
      <ThemeProvider>
        <QueryClientProvider client={queries}>
          <SessionProvider>
            <ToastProvider>
              <Gate />
            </ToastProvider>
          </SessionProvider>
        </QueryClientProvider>
      </ThemeProvider>
    </I18nProvider>
  );
}

/** Gate lets in who may: others go to the login, and come back to where they wanted. */
function Gate() {
  const session = useSession();
  const [location] = useLocation();
  if (location === "/login") {
    return (
      <Suspense fallback={<Loading />}>
        <LoginPage />
      </Suspense>
    );
  }
  if (session.loading) return <Loading />;
  if (session.error && !session.role) return <Failed error={session.error} retry={session.renew} />;
  if (!session.role) {
    const next = encodeURIComponent(window.location.pathname + window.location.search);
    return <Redirect to={`/login?next=${next}`} replace />;
  }
  return (
    <Shell>
      <Pages />
    </Shell>
  );
}

function Pages() {
  const t = useText(text);
  const [location] = useLocation();
  const section = SECTIONS.find((s) => location === s.path || location.startsWith(`${s.path}/`)) ?? undefined;
  useEffect(() => {
    document.title = section ? `${t[section.id]} · Weirflow` : "Weirflow";
  }, [section, t]);
  return (
    <Boundary key={section?.id ?? location}>
      <Suspense fallback={<Loading lines={10} />}>
        <Switch>
          <Route path="/">
            <Redirect to="/flow" replace />
          </Route>
          {SECTIONS.map((s) => (
            <Route key={s.id} path={`${s.path}/*?`} component={s.page} />
          ))}
          <Route>
            <Empty title={t.lost} action={<Link href="/flow">{t.home}</Link>} />
          </Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}

/** Boundary keeps the frame when a page breaks, and says why it did. */
class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error ? <Broken error={this.state.error} /> : this.props.children;
  }
}

function Broken({ error }: { error: unknown }) {
  const t = useText(text);
  return (
    <Empty title={t.crashed} action={<Button onClick={() => window.location.reload()}>{t.reload}</Button>}>
      <p className="break">{error instanceof Error ? error.message : String(error)}</p>
    </Empty>
  );
}
