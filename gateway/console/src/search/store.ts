import { ApiError, Code } from "@weirflow/sdk";
import { api } from "@/api/client";
import { parseJson, writeJson } from "@/format/json";

/** Body is a request of a search, as Elasticsearch reads it. */
export type Body = Record<string, unknown>;

/** Hit is a document that was found. */
export interface Hit {
  _index: string;
  _id: string;
  _source?: Record<string, unknown>;
  sort?: unknown[];
  highlight?: Record<string, string[]>;
}

/** Bucket is one bucket of an aggregation; what is nested in it stands beside under its name. */
export interface Bucket {
  key: string | number;
  key_as_string?: string;
  doc_count: number;
  [name: string]: unknown;
}

export interface Aggregation {
  buckets?: Bucket[];
  value?: number | null;
  values?: { key: number; value: number | null }[];
  doc_count?: number;
  sum_other_doc_count?: number;
}

export interface Answer {
  took?: number;
  timed_out?: boolean;
  _shards?: { failed?: number; failures?: { index?: string; reason?: { reason?: string } }[] };
  hits?: { total?: { value: number; relation: string }; hits?: Hit[] };
  aggregations?: Record<string, Aggregation>;
}

/** aggregate asks for figures about an index pattern. */
export async function aggregate(pattern: string, body: Body, signal?: AbortSignal): Promise<Answer> {
  // The document of the API knows the body as some object only.
  const asked = body as Record<string, never>;
  const answer: unknown = await api.post("/api/v1/indices/{pattern}:search", {
    path: { pattern },
    body: asked,
    ...(signal ? { signal } : {}),
  });
  return answer as Answer;
}

/**
 * documents asks the store's own API, which leaves documents as they are: numbers keep
 * their last digit and fields their order, which a message of protobuf would not.
 */
export async function documents(pattern: string, body: Body, signal?: AbortSignal): Promise<Answer> {
  let response = await send(pattern, body, await token(false), signal);
  if (response.status === 403) response = await send(pattern, body, await token(true), signal);
  const text = await response.text();
  if (!response.ok) throw failure(response.status, text);
  const answer = parseJson(text);
  if (typeof answer !== "object" || answer === null) {
    throw new ApiError(Code.UNAVAILABLE, "the search store did not answer in JSON", response.status);
  }
  return answer as Answer;
}

async function send(pattern: string, body: Body, csrf: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(`/api/v1/search/${encodeURIComponent(pattern)}/_search`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
      credentials: "same-origin",
      body: writeJson(body),
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(
      Code.UNAVAILABLE,
      `no answer from the server: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

let known: Promise<string> | undefined;

/** token is the session's CSRF token; `renew` asks for it again. */
function token(renew: boolean): Promise<string> {
  if (renew) known = undefined;
  known ??= api.get("/api/v1/session").then(
    (session) => session.csrfToken ?? "",
    () => {
      known = undefined;
      return "";
    },
  );
  return known;
}

/** failure reads an error of the store, or of the gateway before it. */
export function failure(status: number, text: string): ApiError {
  const body = parseJson(text);
  if (typeof body !== "object" || body === null || !("error" in body)) return ApiError.from(status, text);
  const error = body.error as {
    reason?: string;
    root_cause?: { reason?: string }[];
    failed_shards?: { reason?: { reason?: string } }[];
  };
  const reason =
    error.root_cause?.[0]?.reason ?? error.failed_shards?.[0]?.reason?.reason ?? error.reason ?? `HTTP ${status}`;
  const code =
    status === 404
      ? Code.NOT_FOUND
      : status === 429
        ? Code.RESOURCE_EXHAUSTED
        : status < 500
          ? Code.INVALID_ARGUMENT
          : Code.UNAVAILABLE;
  return new ApiError(code, reason, status);
}
