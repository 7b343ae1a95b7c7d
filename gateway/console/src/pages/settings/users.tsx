import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useUrlState } from "@/app/url";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import {
  Badge,
  Button,
  type ColumnDef,
  DataTable,
  DelayedInput,
  Empty,
  Menu,
  NotAllowed,
  QueryView,
  useToast,
} from "@/ui";
import { Frame } from "./frame";
import { DeleteUser, EditUser, NewPassword, NewUser, putUser, type User } from "./user-dialogs";
import { text } from "./users-text";

const NEEDED = "admin";

type Doing = { what: "edit" | "password" | "delete"; user: User };

/** Users are the people who may log in: for administrators. */
export function Users() {
  const { may } = useSession();
  return may("admin") ? (
    <UserList />
  ) : (
    <Frame view="users">
      <NotAllowed role={NEEDED} />
    </Frame>
  );
}

function UserList() {
  const t = useText(text);
  const { open } = useSession();
  const [filter, setFilter] = useUrlState("q");
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<Doing>();
  const users = useQuery({
    queryKey: ["users"],
    queryFn: ({ signal }) => api.get("/api/v1/users", { signal }),
    select: (answer) => answer.users ?? [],
    refetchInterval: 30_000,
  });
  const rows = useMemo(() => {
    const wanted = filter.toLowerCase();
    return (users.data ?? []).filter((u) => `${u.name} ${u.displayName} ${u.role}`.toLowerCase().includes(wanted));
  }, [users.data, filter]);
  const columns = useColumns(setDoing);
  const first = users.data?.length === 0;
  const done = () => setDoing(undefined);
  return (
    <Frame
      view="users"
      actions={
        !first && (
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            {t.create}
          </Button>
        )
      }
    >
      <QueryView query={users}>
        {(all) =>
          all.length === 0 ? (
            <Empty
              title={open ? t.openTitle : t.firstAdmin}
              action={
                <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
                  {t.firstAdmin}
                </Button>
              }
            >
              <p>{t.openHint}</p>
            </Empty>
          ) : (
            <>
              <search className="toolbar">
                <DelayedInput
                  type="search"
                  label={t.filter}
                  placeholder={t.filter}
                  value={filter}
                  onValue={setFilter}
                  delayMs={120}
                  className="settings-filter"
                />
              </search>
              <DataTable
                label={t.title}
                rows={rows}
                columns={columns}
                rowId={(u) => u.name ?? ""}
                empty={<Empty inline title={t.noMatch} />}
              />
            </>
          )
        }
      </QueryView>
      {adding && <NewUser first={first} onClose={() => setAdding(false)} />}
      {doing?.what === "edit" && <EditUser user={doing.user} onClose={done} />}
      {doing?.what === "password" && <NewPassword user={doing.user} onClose={done} />}
      {doing?.what === "delete" && <DeleteUser user={doing.user} onClose={done} />}
    </Frame>
  );
}

function useColumns(onDo: (doing: Doing) => void): ColumnDef<User>[] {
  const t = useText(text);
  const { user: me } = useSession();
  return useMemo<ColumnDef<User>[]>(
    () => [
      {
        accessorKey: "name",
        header: t.name,
        cell: ({ row: { original: u } }) => (
          <span className="row wrap">
            <span className={u.disabled ? "strong quiet break" : "strong break"}>{u.name}</span>
            {u.displayName && <span className="soft break">{u.displayName}</span>}
            {u.name === me?.name && <Badge tone="accent">{t.you}</Badge>}
            {u.external && <Badge title={t.externalHint}>{t.external}</Badge>}
          </span>
        ),
      },
      {
        accessorKey: "role",
        header: t.role,
        meta: { width: 120 },
        cell: ({ row }) => t[row.original.role ?? "ROLE_UNSPECIFIED"],
      },
      {
        accessorKey: "disabled",
        header: t.state,
        meta: { width: 120 },
        cell: ({ row }) =>
          row.original.disabled ? <Badge>{t.disabled}</Badge> : <span className="soft">{t.may}</span>,
      },
      {
        accessorKey: "lastLoginAt",
        header: t.lastLogin,
        meta: { className: "wide-only" },
        cell: ({ row }) =>
          row.original.lastLoginAt ? (
            <Ago at={date(row.original.lastLoginAt)} />
          ) : (
            <span className="quiet">{t.never}</span>
          ),
      },
      {
        accessorKey: "createdAt",
        header: t.created,
        meta: { className: "wide-only" },
        cell: ({ row }) => <Ago at={date(row.original.createdAt)} />,
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { align: "right", width: 48 },
        cell: ({ row }) => <UserMenu user={row.original} onDo={onDo} />,
      },
    ],
    [t, me?.name, onDo],
  );
}

function UserMenu({ user, onDo }: { user: User; onDo: (doing: Doing) => void }) {
  const t = useText(text);
  const toast = useToast();
  const name = user.name ?? "";
  const turn = useChange([["users"]], (disabled: boolean) => putUser({ ...user, disabled }));
  return (
    <Menu
      small
      icon="more"
      label={t.actions(name)}
      items={[
        { id: "edit", name: t.edit, onChoose: () => onDo({ what: "edit", user }) },
        ...(user.external
          ? []
          : [{ id: "password", name: t.newPassword, onChoose: () => onDo({ what: "password", user }) }]),
        {
          id: "turn",
          name: user.disabled ? t.enable : t.disable,
          onChoose: () =>
            turn.mutate(!user.disabled, {
              onSuccess: () =>
                toast({
                  message: user.disabled ? t.isEnabled(name) : t.isDisabled(name),
                  undo: () => turn.mutate(user.disabled ?? false),
                }),
            }),
        },
        { id: "delete", name: t.delete, danger: true, onChoose: () => onDo({ what: "delete", user }) },
      ]}
    />
  );
}
