import { ApiError, Code } from "./error.js";
import type { paths } from "./schema.js";
import { messages } from "./stream.js";

/** ClientOptions says where the API is and who asks. */
export interface ClientOptions {
  /** Where the gateway is, such as http://127.0.0.1:8080; in a browser: where the page is from. */
  baseUrl?: string;
  /** An API token, sent as a bearer token. Browsers use the session's cookie instead. */
  token?: string;
  /** What to fetch with, if not the platform's fetch. */
  fetch?: typeof fetch;
}

type Method = "get" | "post" | "put" | "delete";

/** WithMethod has the paths that know a method. */
type WithMethod<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];

/** GetPath has the paths that can be read. */
export type GetPath = WithMethod<"get">;

type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;
type Part<O, K extends string> = O extends { parameters: { [k in K]?: infer V } } ? Exclude<V, undefined> : never;
type PathOf<O> = O extends { parameters: { path: infer V } } ? V : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : never;

/** Reply is what a path answers. */
export type Reply<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: { 200: { content: { "application/json": infer R } } } } ? R : never;

type Streamed<R> = R extends { result?: infer T } ? Exclude<T, undefined> : R;

/** Options are the parts of a request: parameters of the path and the query, and the body. */
type Options<O> = ([PathOf<O>] extends [never] ? { path?: never } : { path: PathOf<O> }) &
  ([Part<O, "query">] extends [never] ? { query?: never } : { query?: Part<O, "query"> }) &
  ([BodyOf<O>] extends [never] ? { body?: never } : { body: BodyOf<O> }) & { signal?: AbortSignal };

/** Args makes the options of a call that needs none optional. */
type Args<O> = object extends Options<O> ? [options?: Options<O>] : [options: Options<O>];

interface Loose {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

const CSRF_HEADER = "X-CSRF-Token";

/** Client calls Weirflow's API. Its calls answer what the API does, or throw an ApiError. */
export class Client {
  private readonly baseUrl: string;
  private readonly token: string | undefined;
  private readonly fetcher: typeof fetch;
  private csrf: Promise<string> | undefined;

  constructor(options: ClientOptions = {}) {
    this.baseUrl = (options.baseUrl ?? "").replace(/\/+$/, "");
    this.token = options.token;
    this.fetcher = options.fetch ?? ((input, init) => fetch(input, init));
  }

  get<P extends WithMethod<"get">>(path: P, ...args: Args<Operation<P, "get">>): Promise<Reply<P, "get">> {
    return this.call("GET", path, args[0] as Loose | undefined);
  }

  post<P extends WithMethod<"post">>(path: P, ...args: Args<Operation<P, "post">>): Promise<Reply<P, "post">> {
    return this.call("POST", path, args[0] as Loose | undefined);
  }

  put<P extends WithMethod<"put">>(path: P, ...args: Args<Operation<P, "put">>): Promise<Reply<P, "put">> {
    return this.call("PUT", path, args[0] as Loose | undefined);
  }

  delete<P extends WithMethod<"delete">>(path: P, ...args: Args<Operation<P, "delete">>): Promise<Reply<P, "delete">> {
    return this.call("DELETE", path, args[0] as Loose | undefined);
  }

  /**
   * stream reads a path that goes on sending, such as /api/v1/flow:watch, and gives each
   * message to onMessage, until the server ends it, the signal aborts, or it breaks
   * (which throws). It resolves when the stream has ended.
   */
  async stream<P extends WithMethod<"get">>(
    path: P,
    options: Options<Operation<P, "get">>,
    onMessage: (message: Streamed<Reply<P, "get">>) => void,
  ): Promise<void> {
    await this.follow("GET", path, options as Loose, onMessage as (m: unknown) => void);
  }

  /** streamPost is stream for a path that is asked with a body, such as /api/v1/jobs:preview. */
  async streamPost<P extends WithMethod<"post">>(
    path: P,
    options: Options<Operation<P, "post">>,
    onMessage: (message: Streamed<Reply<P, "post">>) => void,
  ): Promise<void> {
    await this.follow("POST", path, options as Loose, onMessage as (m: unknown) => void);
  }

  /** forgetSession drops the CSRF token that is kept: after a login or logout. */
  forgetSession(): void {
    this.csrf = undefined;
  }

  private async call<R>(method: string, path: string, options: Loose = {}): Promise<R> {
    const response = await this.send(method, path, options, "application/json");
    const text = await response.text();
    return (text === "" ? {} : JSON.parse(text)) as R;
  }

  private async follow(method: string, path: string, options: Loose, onMessage: (m: unknown) => void) {
    const response = await this.send(method, path, options, "text/event-stream");
    for await (const message of messages(response)) onMessage(message);
  }

  private async send(method: string, path: string, options: Loose, accept: string): Promise<Response> {
    let response = await this.sendOnce(method, path, options, accept);
    // A session that ended took its CSRF token along: once more, with a new one.
    if (response.status === 403 && method !== "GET" && this.csrf !== undefined && !this.token) {
      this.csrf = undefined;
      response = await this.sendOnce(method, path, options, accept);
    }
    if (!response.ok) throw ApiError.from(response.status, await response.text());
    return response;
  }

  private async sendOnce(method: string, path: string, options: Loose, accept: string): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    else if (method !== "GET") headers[CSRF_HEADER] = await this.csrfToken();
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (options.signal) init.signal = options.signal;
    if (method === "POST" || method === "PUT") {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(options.body ?? {});
    }
    try {
      return await this.fetcher(this.baseUrl + address(path, options), init);
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new ApiError(Code.UNAVAILABLE, `no answer from the server: ${reason(cause)}`);
    }
  }

  private csrfToken(): Promise<string> {
    this.csrf ??= this.get("/api/v1/session").then(
      (session) => session.csrfToken ?? "",
      () => {
        this.csrf = undefined;
        return "";
      },
    );
    return this.csrf;
  }
}

/** reason is why a request got no answer; Node keeps it in the error's cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}

/** address fills a path's parameters in and adds the query; what is undefined is left out. */
function address(path: string, options: Loose): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = options.path?.[name];
    if (value === undefined) throw new Error(`${path}: no value for {${name}}`);
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text === "" ? filled : `${filled}?${text}`;
}
