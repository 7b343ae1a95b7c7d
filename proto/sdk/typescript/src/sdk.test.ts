import { describe, expect, it } from "vitest";
import { ApiError, Client, Code, EventParser } from "./index.js";

/** server answers calls from a list, and remembers them. */
function server(...answers: Response[]) {
  const calls: { url: string; init: RequestInit }[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    calls.push({ url, init });
    return answers.shift() ?? new Response("{}", { status: 500 });
  }) as unknown as typeof fetch;
  return { calls, fetcher };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

/** streamed is an answer whose bytes come in the given pieces. */
function streamed(type: string, ...pieces: (string | Uint8Array)[]): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      controller.close();
    },
  });
  return new Response(body, { status: 200, headers: { "Content-Type": type } });
}

describe("EventParser", () => {
  it("reads events however they are cut", () => {
    const text = ': comment\r\nevent: tick\r\ndata: one\r\ndata: two\r\nid: 7\r\n\r\ndata:{"a":1}\n\ndata: cut';
    for (let size = 1; size <= text.length; size++) {
      const parser = new EventParser();
      const events = [];
      for (let i = 0; i < text.length; i += size) events.push(...parser.push(text.slice(i, i + size)));
      expect(events).toEqual([
        { event: "tick", data: "one\ntwo", id: "7" },
        { event: "message", data: '{"a":1}', id: "7" },
      ]);
    }
  });
  it("leaves out events without data", () => {
    expect(new EventParser().push("event: ping\n\n: hello\n\n")).toEqual([]);
  });
});

describe("Client", () => {
  it("fills paths and queries in", async () => {
    const { calls, fetcher } = server(json({ messages: [] }));
    const client = new Client({ baseUrl: "http://h/", token: "t", fetch: fetcher });
    await client.get("/api/v1/topics/{topic}/messages", {
      path: { topic: "a/b c" },
      query: { "start.last": "5", contains: "", partition: 0 },
    });
    expect(calls[0]?.url).toBe("http://h/api/v1/topics/a%2Fb%20c/messages?start.last=5&partition=0");
    expect(calls[0]?.init.headers).toMatchObject({ Authorization: "Bearer t" });
  });

  it("sends the session's CSRF token with changes, and asks for it once", async () => {
    const { calls, fetcher } = server(json({ csrfToken: "c1" }), json({}), json({}));
    const client = new Client({ fetch: fetcher });
    await client.post("/api/v1/jobs/{name}:stop", { path: { name: "j" }, body: {} });
    await client.delete("/api/v1/jobs/{name}", { path: { name: "j" } });
    expect(calls.map((call) => call.url)).toEqual(["/api/v1/session", "/api/v1/jobs/j:stop", "/api/v1/jobs/j"]);
    expect(calls[2]?.init.headers).toMatchObject({ "X-CSRF-Token": "c1" });
  });

  it("asks for a new CSRF token once when the old one is refused", async () => {
    const refused = json({ code: 7, message: "csrf" }, 403);
    const { calls, fetcher } = server(json({ csrfToken: "old" }), refused, json({ csrfToken: "new" }), json({}));
    await new Client({ fetch: fetcher }).post("/api/v1/jobs", { body: { name: "j" } });
    expect(calls[3]?.init.headers).toMatchObject({ "X-CSRF-Token": "new" });
  });

  it.each([
    [json({ code: 5, message: "no job" }, 404), Code.NOT_FOUND, "no job"],
    [new Response("<html>bad gateway</html>", { status: 502 }), Code.UNAVAILABLE, "<html>bad gateway</html>"],
    [new Response("", { status: 401 }), Code.UNAUTHENTICATED, "HTTP status 401"],
  ])("throws errors with gRPC's code (%#)", async (answer, code, message) => {
    const { fetcher } = server(answer);
    const error = await new Client({ fetch: fetcher }).get("/api/v1/jobs").catch((e) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code, message });
  });

  it("says that nobody answers", async () => {
    const fetcher = (() => Promise.reject(new TypeError("connection refused"))) as typeof fetch;
    const error = await new Client({ fetch: fetcher }).get("/api/v1/jobs").catch((e) => e);
    expect(error).toMatchObject({ code: Code.UNAVAILABLE, status: 0 });
    expect(error.message).toContain("connection refused");
  });

  it("reads streams of events, with letters cut between pieces", async () => {
    const bytes = new TextEncoder().encode('data: {"result":{"messages":[{"text":"日"}]}}\n\n');
    const { calls, fetcher } = server(streamed("text/event-stream", bytes.slice(0, 42), bytes.slice(42)));
    const seen: unknown[] = [];
    const path = "/api/v1/topics/{topic}/messages:follow";
    await new Client({ fetch: fetcher }).stream(path, { path: { topic: "t" } }, (m) => seen.push(m));
    expect(seen).toEqual([{ messages: [{ text: "日" }] }]);
    expect(calls[0]?.init.headers).toMatchObject({ Accept: "text/event-stream" });
  });

  it("reads streams of lines, too", async () => {
    const { fetcher } = server(streamed("application/json", '{"result":{"flow":{}}}\n{"res', 'ult":{"flow":{"at":"x"}}}'));
    const seen: unknown[] = [];
    await new Client({ fetch: fetcher }).stream("/api/v1/flow:watch", {}, (m) => seen.push(m));
    expect(seen).toEqual([{ flow: {} }, { flow: { at: "x" } }]);
  });

  it("throws when a stream breaks off", async () => {
    const piece = 'data: {"result":{}}\n\ndata: {"error":{"code":14,"message":"away"}}\n\n';
    const { fetcher } = server(streamed("text/event-stream", piece));
    const error = await new Client({ fetch: fetcher }).stream("/api/v1/flow:watch", {}, () => undefined).catch((e) => e);
    expect(error).toMatchObject({ code: Code.UNAVAILABLE, message: "away" });
  });
});
