import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "@/api/client";
import { brokersIn, searchUrlIn } from "./names";
import type { Places } from "./sink";

interface Connections {
  brokers?: string[];
  searchUrl?: string;
}

/** usePlaces are the addresses that statements name: what the server says, or else what jobs use already. */
export function usePlaces(): Places {
  const status = useQuery({
    queryKey: ["connections"],
    queryFn: async ({ signal }) => {
      const answer: { connections?: Connections } = await api.get("/api/v1/status", { signal });
      return answer.connections ?? {};
    },
    staleTime: 60_000,
  });
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }) });
  const { brokers, searchUrl } = status.data ?? {};
  return useMemo(() => {
    const scripts = (jobs.data?.jobs ?? []).flatMap((job) => job.sql ?? []);
    return {
      brokers: brokers?.join(",") || brokersIn(scripts) || "127.0.0.1:9092",
      searchUrl: searchUrl || searchUrlIn(scripts) || "http://127.0.0.1:9200",
    };
  }, [brokers, searchUrl, jobs.data]);
}
