import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part } from "@/app/url";
import { absolute, duration, useNow } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Button, type ColumnDef, DataTable, Empty, IconButton, QueryView, useToast } from "@/ui";
import { Frame } from "./frame";
import { useOnCall, usePeople, useRotas } from "./oncall-queries";
import { text } from "./oncall-text";
import { PersonDialog } from "./person-dialog";
import type { Person, Rota } from "./rota";
import { ShiftLine } from "./shift-line";

/** OnCall is whose turn it is, in all rotas, and the people. */
export function OnCall() {
  const t = useText(text);
  const { may } = useSession();
  const [, navigate] = useLocation();
  const rotas = useRotas();
  return (
    <Frame
      view="oncall"
      actions={
        <Button
          look="primary"
          icon="plus"
          disabled={!may("operator")}
          title={may("operator") ? undefined : t.needs}
          onClick={() => navigate("/alerts/oncall/new")}
        >
          {t.newRota}
        </Button>
      }
    >
      <QueryView query={rotas}>
        {(all) =>
          all.length === 0 ? (
            <Empty inline title={t.emptyRotas}>
              <p>{t.emptyRotasHint}</p>
            </Empty>
          ) : (
            <div className="column wide-gap">
              {all.map((rota) => (
                <RotaRow key={rota.name} rota={rota} />
              ))}
            </div>
          )
        }
      </QueryView>
      <People />
    </Frame>
  );
}

const DAYS = 7;
const DAY_MS = 86_400_000;

function RotaRow({ rota }: { rota: Rota }) {
  const t = useText(text);
  const name = rota.name ?? "";
  return (
    <section className="section rota-row">
      <div className="row wrap between">
        <h2>
          <Link href={`/alerts/oncall/${part(name)}`}>{name}</Link>
        </h2>
        <Now rota={name} />
      </div>
      {rota.description && <p className="soft small">{rota.description}</p>}
      <ShiftLine rota={name} days={DAYS} label={`${t.upcoming}: ${name}`} />
    </section>
  );
}

/** Now says who is on call in a rota, how they are reached, and until when. */
export function Now({ rota }: { rota: string }) {
  const t = useText(text);
  const onCall = useOnCall();
  const { language } = useI18n();
  const now = useNow(30_000);
  const turn = onCall.data?.find((one) => one.rota === rota);
  if (!onCall.data) return null;
  const until = date(turn?.shift?.to);
  const person = turn?.person;
  return (
    <p className="row wrap">
      <span className="soft">{t.now}</span>
      {person ? (
        <span className="strong">{person.displayName || person.name}</span>
      ) : (
        <span className="bad strong">{t.nobody}</span>
      )}
      {person && <Contacts of={person} />}
      {until && until.getTime() > now && until.getTime() - now < 31 * DAY_MS && (
        <span className="quiet num" title={absolute(until, false)}>
          {t.left(duration(until.getTime() - now, language))}
        </span>
      )}
    </p>
  );
}

function Contacts({ of }: { of: Person }) {
  return (
    <span className="labels">
      {Object.entries(of.contacts ?? {}).map(([kind, value]) => (
        <span key={kind} className="label mono">
          <span className="quiet">{kind} </span>
          {value}
        </span>
      ))}
    </span>
  );
}

function People() {
  const t = useText(text);
  const { may } = useSession();
  const people = usePeople();
  const rotas = useRotas();
  const [editing, setEditing] = useState<Person>();
  const columns = usePeopleColumns(rotas.data ?? [], setEditing);
  return (
    <section className="section">
      <div className="row wrap between">
        <h2>{t.people}</h2>
        <Button small icon="plus" disabled={!may("operator")} onClick={() => setEditing({ contacts: { phone: "" } })}>
          {t.newPerson}
        </Button>
      </div>
      <QueryView query={people}>
        {(all) => (
          <DataTable
            label={t.people}
            rows={all}
            columns={columns}
            rowId={(p) => p.name ?? ""}
            {...(may("operator") ? { onRow: setEditing } : {})}
            empty={
              <Empty inline title={t.emptyPeople}>
                <p>{t.emptyPeopleHint}</p>
              </Empty>
            }
          />
        )}
      </QueryView>
      {editing && <PersonDialog person={editing} onClose={() => setEditing(undefined)} />}
    </section>
  );
}

function usePeopleColumns(rotas: readonly Rota[], onEdit: (person: Person) => void): ColumnDef<Person>[] {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const keep = useChange([["people"], ["oncall"]], (person: Person) =>
    api.put("/api/v1/people/{name}", {
      path: { name: person.name ?? "" },
      body: { displayName: person.displayName ?? "", contacts: person.contacts ?? {} },
    }),
  );
  const remove = useChange([["people"]], (person: Person) =>
    api.delete("/api/v1/people/{name}", { path: { name: person.name ?? "" } }),
  );
  const again = keep.mutate;
  const forget = remove.mutate;
  return useMemo<ColumnDef<Person>[]>(
    () => [
      {
        id: "name",
        accessorFn: (p) => p.displayName || p.name,
        header: t.name,
        cell: ({ row: { original: p } }) => (
          <>
            <span className="strong">{p.displayName || p.name}</span>
            {p.displayName && <span className="quiet"> {p.name}</span>}
          </>
        ),
      },
      { id: "contacts", header: t.contacts, enableSorting: false, cell: ({ row }) => <Contacts of={row.original} /> },
      {
        id: "in",
        header: t.in,
        enableSorting: false,
        meta: { className: "wide-only" },
        cell: ({ row }) => {
          const names = rotas.filter((r) => r.layers?.some((l) => l.people?.includes(row.original.name ?? "")));
          return names.length ? names.map((r) => r.name).join(", ") : <span className="quiet">–</span>;
        },
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { align: "right", width: 88 },
        cell: ({ row: { original: p } }) => (
          <span className="row alerts-do">
            <IconButton
              small
              icon="edit"
              label={`${t.edit} ${p.name}`}
              disabled={!may("operator")}
              onClick={() => onEdit(p)}
            />
            <IconButton
              small
              icon="trash"
              label={`${t.delete} ${p.name}`}
              disabled={!may("operator")}
              onClick={() =>
                forget(p, {
                  onSuccess: () => toast({ message: t.deletedPerson(p.name ?? ""), undo: () => again(p) }),
                })
              }
            />
          </span>
        ),
      },
    ],
    [t, rotas, may, toast, again, forget, onEdit],
  );
}
