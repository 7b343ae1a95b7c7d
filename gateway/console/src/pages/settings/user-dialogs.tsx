import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { useText } from "@/i18n";
import { Button, Confirm, Copy, Dialog, Field, Input, Notice, Select, useToast } from "@/ui";
import { makePassword } from "./next";
import { text } from "./users-text";

export type User = Schema<"User">;
type Role = Schema<"Role">;

export const ROLES = ["ROLE_VIEWER", "ROLE_OPERATOR", "ROLE_ADMIN"] as const;
const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const LEAST = 12;

/** putUser changes a user; an empty password leaves the old one. */
export function putUser(user: User, password = "") {
  return api.put("/api/v1/users/{name}", {
    path: { name: user.name ?? "" },
    body: {
      user: { displayName: user.displayName ?? "", role: user.role ?? "ROLE_VIEWER", disabled: user.disabled ?? false },
      ...(password ? { password } : {}),
    },
  });
}

/** PasswordField takes a new password, or makes one, which can then be read and copied. */
function PasswordField({ value, onValue }: { value: string; onValue: (password: string) => void }) {
  const t = useText(text);
  const [made, setMade] = useState(false);
  return (
    <div className="column">
      <Field label={t.password} hint={t.passwordHint}>
        <Input
          type={made ? "text" : "password"}
          className={made ? "mono" : ""}
          autoComplete="new-password"
          value={value}
          onChange={(e) => onValue(e.target.value)}
        />
      </Field>
      <div className="row">
        <Button
          small
          onClick={() => {
            setMade(true);
            onValue(makePassword());
          }}
        >
          {t.generate}
        </Button>
        {made && value && <Copy value={value} />}
      </div>
    </div>
  );
}

/** NewUser adds a user; the first one of all is an administrator. */
export function NewUser({ first, onClose }: { first: boolean; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const { renew } = useSession();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [role, setRole] = useState<Role>(first ? "ROLE_ADMIN" : "ROLE_VIEWER");
  const [password, setPassword] = useState("");
  const create = useChange(
    [["users"]],
    () => api.post("/api/v1/users", { body: { user: { name, displayName: displayName.trim(), role }, password } }),
    {
      tell: false,
      onDone: () => {
        toast({ message: t.made(name) });
        onClose();
        // After the first one, one has to log in oneself.
        if (first) void renew();
      },
    },
  );
  const ready = NAME.test(name) && [...password].length >= LEAST;
  return (
    <Dialog
      title={first ? t.firstAdmin : t.create}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!ready || create.isPending} onClick={() => create.mutate()}>
            {t.save}
          </Button>
        </>
      }
    >
      {first && <Notice tone="late">{t.firstHint}</Notice>}
      <Field label={t.name} hint={name && !NAME.test(name) ? <span className="bad">{t.wrongName}</span> : t.nameHint}>
        <Input value={name} autoCapitalize="none" maxLength={64} onChange={(e) => setName(e.target.value)} />
      </Field>
      <Field label={t.displayName}>
        <Input value={displayName} maxLength={200} onChange={(e) => setDisplayName(e.target.value)} />
      </Field>
      <RoleField role={role} onRole={setRole} disabled={first} />
      <PasswordField value={password} onValue={setPassword} />
      {create.error && <Notice tone="bad">{create.error.message}</Notice>}
    </Dialog>
  );
}

function RoleField({ role, onRole, disabled }: { role: Role; onRole: (role: Role) => void; disabled?: boolean }) {
  const t = useText(text);
  return (
    <Field label={t.role}>
      <Select
        value={role}
        disabled={disabled}
        options={ROLES.map((one) => ({ value: one, name: t[one] }))}
        onValue={(one) => onRole(one as Role)}
      />
    </Field>
  );
}

/** EditUser changes name and role. */
export function EditUser({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const [displayName, setDisplayName] = useState(user.displayName ?? "");
  const [role, setRole] = useState<Role>(user.role ?? "ROLE_VIEWER");
  const keys = [["users"], ["session"]];
  const again = useChange(keys, (before: User) => putUser(before));
  const save = useChange(keys, () => putUser({ ...user, displayName: displayName.trim(), role }), {
    tell: false,
    onDone: () => {
      toast({ message: t.saved(user.name ?? ""), undo: () => again.mutate(user) });
      onClose();
    },
  });
  return (
    <Dialog
      title={user.name ?? ""}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={save.isPending} onClick={() => save.mutate()}>
            {t.save}
          </Button>
        </>
      }
    >
      <Field label={t.displayName}>
        <Input value={displayName} maxLength={200} onChange={(e) => setDisplayName(e.target.value)} />
      </Field>
      <RoleField role={role} onRole={setRole} />
      {save.error && <Notice tone="bad">{save.error.message}</Notice>}
    </Dialog>
  );
}

/** NewPassword gives a user another password. */
export function NewPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const [password, setPassword] = useState("");
  const save = useChange([["users"], ["session"]], () => putUser(user, password), {
    tell: false,
    onDone: () => {
      toast({ message: t.passwordSet(user.name ?? "") });
      onClose();
    },
  });
  return (
    <Dialog
      title={t.newPasswordTitle(user.name ?? "")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button
            look="primary"
            disabled={[...password].length < LEAST || save.isPending}
            onClick={() => save.mutate()}
          >
            {t.save}
          </Button>
        </>
      }
    >
      <p className="soft">{t.newPasswordHint}</p>
      <PasswordField value={password} onValue={setPassword} />
      {save.error && <Notice tone="bad">{save.error.message}</Notice>}
    </Dialog>
  );
}

/** DeleteUser asks for the name, after it has said what is lost. */
export function DeleteUser({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const name = user.name ?? "";
  const tokens = useQuery({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => api.get("/api/v1/tokens", { signal }),
  });
  const theirs = (tokens.data?.tokens ?? []).filter((token) => token.owner === name);
  const remove = useChange([["users"], ["tokens"]], () => api.delete("/api/v1/users/{name}", { path: { name } }), {
    tell: false,
    onDone: () => {
      toast({ message: t.deleted(name) });
      onClose();
    },
  });
  return (
    <Confirm
      title={t.deleteTitle(name)}
      action={t.deleteDo}
      typed={name}
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>{t.deleteHint}</p>
      <p className="strong">
        {t.tokensLost(theirs.length)}
        {theirs.length > 0 && `: ${theirs.map((token) => token.name).join(", ")}`}
      </p>
      {remove.error && <Notice tone="bad">{remove.error.message}</Notice>}
    </Confirm>
  );
}
