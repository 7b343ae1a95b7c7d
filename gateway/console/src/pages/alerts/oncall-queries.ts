import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";
import type { Rota } from "./rota";

export function useRotas() {
  return useQuery({
    queryKey: ["rotas"],
    queryFn: ({ signal }) => api.get("/api/v1/rotas", { signal }),
    select: (answer) => answer.rotas ?? [],
    refetchInterval: 30_000,
  });
}

export function usePeople() {
  return useQuery({
    queryKey: ["people"],
    queryFn: ({ signal }) => api.get("/api/v1/people", { signal }),
    select: (answer) => answer.people ?? [],
    refetchInterval: 30_000,
  });
}

/** useOnCall is who is on call now, by rota. */
export function useOnCall() {
  return useQuery({
    queryKey: ["oncall"],
    queryFn: ({ signal }) => api.get("/api/v1/oncall", { signal }),
    select: (answer) => answer.onCall ?? [],
    refetchInterval: 15_000,
  });
}

/** putRota keeps a rota. */
export function putRota(rota: Rota) {
  const { name, updatedAt: _, ...body } = rota;
  return api.put("/api/v1/rotas/{name}", { path: { name: name ?? "" }, body });
}
