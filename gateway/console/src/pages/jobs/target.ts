import { api } from "@/api/client";
import { useText } from "@/i18n";
import { usePlaces } from "@/sql/connections";
import { rowsOf, type Target, writeTo } from "@/sql/sink";
import { useToast } from "@/ui";
import { record } from "./check";
import { text } from "./text";
import type { Draft } from "./workbench";

/**
 * useTarget gives a script what its rows are to be written to. Which columns they have, the
 * server says: it is asked about a view of the query.
 */
export function useTarget(draft: Draft, onDraft: (draft: Draft) => void, onWrong: () => void) {
  const t = useText(text);
  const toast = useToast();
  const places = usePlaces();
  return async (target: Target) => {
    const rows = rowsOf(draft.sql);
    if (!rows) {
      toast({ message: t.noRows });
      return;
    }
    const answer = await api
      .post("/api/v1/jobs:catalog", { body: { sql: rows.catalog, parameters: record(draft) } })
      .catch(() => undefined);
    const view = answer?.tables?.find((table) => table.name === rows.view);
    const columns = (view?.columns ?? []).map((column) => ({ name: column.name ?? "", type: column.type ?? "" }));
    if (columns.length === 0) {
      toast({ message: t.mendFirst });
      onWrong();
      return;
    }
    onDraft({ ...draft, sql: writeTo(draft.sql, target, columns, places) });
  };
}
