import { ApiError, Code } from "@weirflow/sdk";
import { useEffect, useEffectEvent, useState } from "react";

/** StreamState is how a stream is: `retrying` while it comes back after it broke. */
export type StreamState = "off" | "connecting" | "live" | "retrying" | "ended";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

/**
 * useStream keeps a stream open while `on` is set, and opens it again when it breaks.
 * `key` says what is streamed: another key is another stream.
 */
export function useStream<T>(
  key: string,
  on: boolean,
  open: (signal: AbortSignal, onMessage: (message: T) => void) => Promise<void>,
  onMessage: (message: T) => void,
): { state: StreamState; error: unknown } {
  const [state, setState] = useState<StreamState>(on ? "connecting" : "off");
  const [error, setError] = useState<unknown>();
  const message = useEffectEvent(onMessage);
  const start = useEffectEvent(open);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what `open` reads.
  useEffect(() => {
    if (!on) {
      setState("off");
      return;
    }
    const abort = new AbortController();
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        await start(abort.signal, (m) => {
          if (abort.signal.aborted) return;
          failures = 0;
          setState("live");
          setError(undefined);
          message(m);
        });
        if (!abort.signal.aborted) again();
      } catch (e) {
        if (abort.signal.aborted) return;
        setError(e);
        if (e instanceof ApiError && isFinal(e)) setState("ended");
        else again();
      }
    };
    const again = () => {
      setState("retrying");
      timer = setTimeout(run, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    };
    setState("connecting");
    setError(undefined);
    run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, on]);

  return { state, error };
}

/** isFinal tells errors that trying again does not mend. */
function isFinal(e: ApiError): boolean {
  const final: number[] = [
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.PERMISSION_DENIED,
    Code.UNAUTHENTICATED,
    Code.UNIMPLEMENTED,
  ];
  return final.includes(e.code);
}
