import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo } from "react";
import { api } from "@/api/client";
import { brokersIn, searchUrlIn } from "./names";
import type { Places } from "./sink";

/** useConnections is where statements and agents reach Kafka, the store and ingest, as the server says. */
export function useConnections(): Schema<"Connections"> {
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/v1/status", { signal }),
    staleTime: 60_000,
  });
  return status.data?.connections ?? {};
}

/** usePlaces are the addresses that statements name: what the server says, or else what jobs use already. */
export function usePlaces(): Places {
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }) });
  const { brokers, searchUrl } = useConnections();
  return useMemo(() => {
    const scripts = (jobs.data?.jobs ?? []).flatMap((job) => job.sql ?? []);
    return {
      brokers: brokers?.join(",") || brokersIn(scripts) || "127.0.0.1:9092",
      searchUrl: searchUrl || searchUrlIn(scripts) || "http://127.0.0.1:9200",
    };
  }, [brokers, searchUrl, jobs.data]);
}
