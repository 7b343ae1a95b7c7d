import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useToast } from "@/ui";

/**
 * useChange runs a change, renews what depends on it, and tells when it failed. `tell`
 * false leaves that to the caller, who shows `error` where one typed.
 */
export function useChange<A = void, R = unknown>(
  keys: readonly (readonly unknown[])[],
  run: (argument: A) => Promise<R>,
  { tell = true, onDone }: { tell?: boolean; onDone?: (answer: R, argument: A) => void } = {},
) {
  const queries = useQueryClient();
  const toast = useToast();
  return useMutation<R, Error, A>({
    mutationFn: run,
    // Nobody waits for the renewal: it may take what called this off the page, whose own
    // callbacks would then be lost.
    onSuccess: (answer, argument) => {
      for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
      onDone?.(answer, argument);
    },
    onError: (error) => {
      if (tell) toast({ message: error.message });
    },
  });
}
