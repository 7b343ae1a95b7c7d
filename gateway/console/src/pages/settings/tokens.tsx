import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { roleOf, useSession } from "@/api/session";
import { Ago, useNow } from "@/format";
import { useText } from "@/i18n";
import { Button, type ColumnDef, Confirm, DataTable, Empty, IconButton, Notice, QueryView, useToast } from "@/ui";
import { Frame } from "./frame";
import { NewToken } from "./new-token";
import { text } from "./tokens-text";

type Token = Schema<"Token">;

/** Tokens are what programs bring in the place of a login: one's own, or all for administrators. */
export function Tokens() {
  const t = useText(text);
  const { open } = useSession();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Token>();
  const tokens = useQuery({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => api.get("/api/v1/tokens", { signal }),
    refetchInterval: 30_000,
  });
  const columns = useColumns(setRemoving);
  return (
    <Frame
      view="tokens"
      actions={
        <Button look="primary" icon="plus" disabled={open} onClick={() => setAdding(true)}>
          {t.create}
        </Button>
      }
    >
      <p className="soft">{open ? t.openHint : t.hint}</p>
      <QueryView query={tokens}>
        {(answer) => (
          <DataTable
            label={t.title}
            rows={answer.tokens ?? []}
            columns={columns}
            rowId={(token) => token.id ?? ""}
            empty={
              <Empty title={t.empty}>
                <p>{t.emptyHint}</p>
                <pre>curl -H "Authorization: Bearer …" {location.origin}/api/v1/jobs</pre>
              </Empty>
            }
          />
        )}
      </QueryView>
      {adding && <NewToken onClose={() => setAdding(false)} />}
      {removing && <DeleteToken token={removing} onClose={() => setRemoving(undefined)} />}
    </Frame>
  );
}

function useColumns(onRemove: (token: Token) => void): ColumnDef<Token>[] {
  const t = useText(text);
  return useMemo<ColumnDef<Token>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.name,
        cell: ({ row: { original: token } }) => (
          <>
            <span className="strong break">{token.name}</span> <span className="quiet mono break">{token.id}</span>
          </>
        ),
      },
      { accessorKey: "owner", header: t.owner, meta: { className: "wide-only break" } },
      { accessorKey: "role", header: t.role, cell: ({ row }) => roleOf(row.original.role) ?? "–" },
      {
        id: "scopes",
        header: t.scopes,
        enableSorting: false,
        meta: { className: "wide-only break" },
        cell: ({ row }) =>
          row.original.scopes?.length ? row.original.scopes.join(", ") : <span className="quiet">{t.all}</span>,
      },
      {
        accessorKey: "lastUsedAt",
        header: t.used,
        meta: { className: "wide-only" },
        cell: ({ row }) =>
          row.original.lastUsedAt ? (
            <Ago at={date(row.original.lastUsedAt)} />
          ) : (
            <span className="quiet">{t.never}</span>
          ),
      },
      {
        accessorKey: "expiresAt",
        header: t.expires,
        cell: ({ row }) => <Expiry at={date(row.original.expiresAt)} />,
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { align: "right", width: 48 },
        cell: ({ row }) => (
          <IconButton
            small
            icon="trash"
            label={`${t.delete} ${row.original.name}`}
            onClick={() => onRemove(row.original)}
          />
        ),
      },
    ],
    [t, onRemove],
  );
}

const WEEK_MS = 7 * 86_400_000;

/** Expiry marks a token that has ended, and one that ends within a week. */
function Expiry({ at }: { at: Date | undefined }) {
  const t = useText(text);
  const now = useNow(60_000);
  if (!at) return <span className="quiet">–</span>;
  const left = at.getTime() - now;
  return (
    <span className={left < 0 ? "quiet" : left < WEEK_MS ? "late" : undefined}>
      {left < 0 && `${t.expired} `}
      <Ago at={at} />
    </span>
  );
}

function DeleteToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const name = token.name ?? "";
  const used = date(token.lastUsedAt);
  const remove = useChange([["tokens"]], () => api.delete("/api/v1/tokens/{id}", { path: { id: token.id ?? "" } }), {
    tell: false,
    onDone: () => {
      toast({ message: t.deleted(name) });
      onClose();
    },
  });
  return (
    <Confirm
      title={t.deleteTitle(name)}
      action={t.delete}
      typed={name}
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>{t.deleteHint}</p>
      <p className="strong">
        {used ? (
          <>
            {t.deleteUsed} <Ago at={used} />
          </>
        ) : (
          t.deleteNever
        )}
      </p>
      {remove.error && <Notice tone="bad">{remove.error.message}</Notice>}
    </Confirm>
  );
}
