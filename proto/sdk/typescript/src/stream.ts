import { ApiError, Code } from "./error.js";
import { EventParser } from "./sse.js";

interface Envelope {
  result?: unknown;
  error?: { code?: number; message?: string; details?: unknown[] };
}

/**
 * messages gives the messages of a streaming answer: server-sent events, or lines of
 * JSON if the server sends those. A stream that breaks off throws an ApiError.
 */
export async function* messages(response: Response): AsyncGenerator<unknown> {
  const events = (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
  const split = events ? splitEvents() : splitLines();
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      for (const data of split(text, done)) yield unwrap(data);
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function splitEvents(): (text: string, done: boolean) => string[] {
  const parser = new EventParser();
  return (text) => parser.push(text).map((e) => (e.event === "error" ? asError(e.data) : e.data));
}

/** asError wraps the data of an `error` event, unless it is wrapped already. */
function asError(data: string): string {
  return data.startsWith('{"error"') ? data : `{"error":${data}}`;
}

function splitLines(): (text: string, done: boolean) => string[] {
  let rest = "";
  return (text, done) => {
    const lines = (rest + text).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    return lines.filter((line) => line.trim() !== "");
  };
}

function unwrap(data: string): unknown {
  const message = JSON.parse(data) as Envelope;
  if (message.error) {
    const { code, message: text, details } = message.error;
    throw new ApiError(code ?? Code.UNKNOWN, text ?? "the stream broke off", 0, details ?? []);
  }
  return "result" in message ? message.result : message;
}
