import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { ApiError, Code } from "@weirflow/sdk";
import { createContext, type ReactNode, useCallback, useContext, useMemo } from "react";
import { api } from "./client";

export type Role = "viewer" | "operator" | "admin";

const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

/** Session is who uses the console and what he may do. */
export interface Session {
  /** open: nobody is configured, so everybody on this machine may do everything. */
  open: boolean;
  user: Schema<"User"> | undefined;
  role: Role | undefined;
  environment: string;
  version: string;
  oidcName: string;
  loading: boolean;
  error: unknown;
  /** may says whether one may do what needs a role. */
  may: (role: Role) => boolean;
  /** renew asks again who one is: after a login or logout. */
  renew: () => Promise<void>;
}

const Context = createContext<Session | undefined>(undefined);

export function roleOf(role: Schema<"Role"> | undefined): Role | undefined {
  switch (role) {
    case "ROLE_VIEWER":
      return "viewer";
    case "ROLE_OPERATOR":
      return "operator";
    case "ROLE_ADMIN":
      return "admin";
    default:
      return undefined;
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const { data, error, isPending } = useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => api.get("/api/v1/session", { signal }),
    staleTime: 60_000,
    retry: (count, e) => count < 2 && !(e instanceof ApiError && e.code === Code.UNIMPLEMENTED),
  });
  const renew = useCallback(async () => {
    api.forgetSession();
    await queries.invalidateQueries();
  }, [queries]);
  const session = useMemo<Session>(() => {
    const open = data?.open ?? false;
    const role = open ? "admin" : roleOf(data?.user?.role);
    return {
      open,
      user: data?.user ?? undefined,
      role,
      environment: data?.environment ?? "",
      version: data?.version ?? "",
      oidcName: data?.oidcName ?? "",
      loading: isPending,
      error,
      may: (needed) => role !== undefined && RANK[role] >= RANK[needed],
      renew,
    };
  }, [data, error, isPending, renew]);
  return <Context value={session}>{children}</Context>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession outside SessionProvider");
  return session;
}
