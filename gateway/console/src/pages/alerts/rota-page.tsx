import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { part, useUrlState } from "@/app/url";
import { absolute } from "@/format";
import { useText } from "@/i18n";
import {
  Badge,
  Button,
  type ColumnDef,
  DataTable,
  Field,
  IconButton,
  Input,
  Notice,
  QueryView,
  Select,
  useToast,
} from "@/ui";
import { Frame } from "./frame";
import { fromLocal, localTime } from "./local-time";
import { Now } from "./oncall";
import { putRota, usePeople } from "./oncall-queries";
import { text } from "./oncall-text";
import type { Rota, Shift } from "./rota";
import { RotaForm } from "./rota-form";
import { ShiftLine, useShifts } from "./shift-line";

const RANGES = ["7", "14", "28", "92"];

export function NewRota() {
  const t = useText(text);
  const [, navigate] = useLocation();
  return (
    <Frame view="oncall" title={t.newRota}>
      <RotaForm
        before={undefined}
        onClose={(name) => navigate(name ? `/alerts/oncall/${part(name)}` : "/alerts/oncall")}
      />
    </Frame>
  );
}

/** RotaPage is one rota: who is on call when, and who stands in. */
export function RotaPage({ name }: { name: string }) {
  const t = useText(text);
  const { may } = useSession();
  const [, navigate] = useLocation();
  const toast = useToast();
  const [days, setDays] = useUrlState("days", "14");
  const [editing, setEditing] = useState(false);
  const rota = useQuery({
    queryKey: ["rota", name],
    queryFn: ({ signal }) => api.get("/api/v1/rotas/{name}", { path: { name }, signal }),
    refetchInterval: 30_000,
  });
  const keys = [["rotas"], ["rota"], ["oncall"], ["shifts"]];
  const keep = useChange(keys, putRota);
  const remove = useChange([["rotas"], ["oncall"]], () => api.delete("/api/v1/rotas/{name}", { path: { name } }), {
    onDone: () => {
      const before = rota.data?.rota;
      toast({ message: t.deletedRota(name), ...(before ? { undo: () => keep.mutate(before) } : {}) });
      navigate("/alerts/oncall");
    },
  });
  return (
    <Frame
      view="oncall"
      title={name}
      actions={
        <>
          <Link className="button ghost" href="/alerts/oncall">
            {t.all}
          </Link>
          <Button icon="edit" disabled={!may("operator")} onClick={() => setEditing(!editing)}>
            {t.edit}
          </Button>
          <Button icon="trash" disabled={!may("operator") || remove.isPending} onClick={() => remove.mutate()}>
            {t.delete}
          </Button>
        </>
      }
    >
      <QueryView query={rota}>
        {({ rota: known }) =>
          editing ? (
            <RotaForm before={known ?? {}} onClose={() => setEditing(false)} />
          ) : (
            <>
              <Now rota={name} />
              {known?.description && <p className="soft">{known.description}</p>}
              <section className="section">
                <div className="row wrap between">
                  <h2>{t.upcoming}</h2>
                  <Select
                    label={t.ahead}
                    value={days}
                    options={RANGES.map((n) => ({ value: n, name: t.days(Number(n)) }))}
                    onValue={setDays}
                  />
                </div>
                <ShiftLine rota={name} days={Number(days) || 14} label={t.upcoming} />
                <Shifts rota={name} days={Number(days) || 14} />
              </section>
              <Overrides rota={known ?? {}} />
            </>
          )
        }
      </QueryView>
    </Frame>
  );
}

function Shifts({ rota, days }: { rota: string; days: number }) {
  const t = useText(text);
  const { shifts } = useShifts(rota, days);
  const columns = useMemo<ColumnDef<Shift>[]>(() => {
    const time = (key: "from" | "to"): ColumnDef<Shift> => ({
      accessorKey: key,
      header: t[key],
      cell: ({ row }) => {
        const at = date(row.original[key]);
        return <span className="num">{at ? absolute(at, false).slice(0, 16) : "–"}</span>;
      },
    });
    return [
      time("from"),
      time("to"),
      {
        accessorKey: "person",
        header: t.person,
        cell: ({ row }) =>
          row.original.person ? (
            <span className="strong">{row.original.person}</span>
          ) : (
            <span className="bad">{t.nobody}</span>
          ),
      },
      {
        id: "layer",
        header: t.layer,
        enableSorting: false,
        meta: { className: "wide-only" },
        cell: ({ row }) =>
          row.original.override ? <Badge tone="late">{t.override}</Badge> : (row.original.layer ?? ""),
      },
    ];
  }, [t]);
  return (
    <DataTable
      label={t.upcoming}
      rows={shifts.data?.shifts ?? []}
      columns={columns}
      rowId={(s) => `${s.from} ${s.person}`}
    />
  );
}

function Overrides({ rota }: { rota: Rota }) {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const name = rota.name ?? "";
  const people = usePeople();
  const [person, setPerson] = useState("");
  const [from, setFrom] = useState(() => localTime(new Date()));
  const [to, setTo] = useState(() => localTime(new Date(Date.now() + 8 * 3_600_000)));
  const [reason, setReason] = useState("");
  const keys = [["rota"], ["rotas"], ["oncall"], ["shifts"]];
  const add = useChange(keys, (override: { person: string; from: string; to: string; reason: string }) =>
    api.post("/api/v1/rotas/{rota}/overrides", { path: { rota: name }, body: override }),
  );
  const remove = useChange(keys, (id: string) =>
    api.delete("/api/v1/rotas/{rota}/overrides/{id}", { path: { rota: name, id } }),
  );
  const begins = fromLocal(from);
  const ends = fromLocal(to);
  const wrong = !begins || !ends || begins >= ends;
  const known = (rota.overrides ?? []).filter((o) => (date(o.to)?.getTime() ?? 0) > Date.now());
  return (
    <section className="section">
      <h2>{t.overrides}</h2>
      <p className="quiet small">{t.overridesHint}</p>
      {known.length === 0 && <p className="quiet">{t.noOverrides}</p>}
      <ul className="column">
        {known.map((o) => (
          <li key={o.id} className="row wrap">
            <span className="strong">{o.person}</span>
            <span className="num">
              {when(o.from)} – {when(o.to)}
            </span>
            <span className="soft break">{o.reason}</span>
            <IconButton
              small
              icon="close"
              label={`${t.remove} ${o.person}`}
              disabled={!may("operator")}
              onClick={() =>
                remove.mutate(o.id ?? "", {
                  onSuccess: () =>
                    toast({
                      message: t.removedOverride,
                      undo: () =>
                        add.mutate({
                          person: o.person ?? "",
                          from: o.from ?? "",
                          to: o.to ?? "",
                          reason: o.reason ?? "",
                        }),
                    }),
                })
              }
            />
          </li>
        ))}
      </ul>
      {may("operator") ? (
        <form
          className="form"
          onSubmit={(e) => {
            e.preventDefault();
            if (!wrong && person) {
              add.mutate(
                { person, from: begins.toISOString(), to: ends.toISOString(), reason: reason.trim() },
                { onSuccess: () => setReason("") },
              );
            }
          }}
        >
          <div className="form-row">
            <Field label={t.person}>
              <Select
                value={person}
                options={[
                  { value: "", name: "–" },
                  ...(people.data ?? []).map((p) => ({ value: p.name ?? "", name: p.displayName || p.name || "" })),
                ]}
                onValue={setPerson}
              />
            </Field>
            <Field label={t.from}>
              <Input type="datetime-local" value={from} onChange={(e) => setFrom(e.target.value)} />
            </Field>
            <Field label={t.to} hint={wrong ? <span className="bad">{t.order}</span> : undefined}>
              <Input type="datetime-local" value={to} onChange={(e) => setTo(e.target.value)} />
            </Field>
            <Field label={t.reason}>
              <Input value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />
            </Field>
          </div>
          <div>
            <Button type="submit" icon="plus" disabled={wrong || !person || add.isPending}>
              {t.addOverride}
            </Button>
          </div>
        </form>
      ) : (
        <Notice>{t.needs}</Notice>
      )}
    </section>
  );
}

function when(time: string | undefined): string {
  const at = date(time);
  return at ? absolute(at, false).slice(0, 16) : "–";
}
