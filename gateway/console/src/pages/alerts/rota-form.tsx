import { useChange } from "@/api/change";
import { useSession } from "@/api/session";
import { useKept } from "@/app/kept";
import { useText } from "@/i18n";
import { Button, Check, Field, IconButton, Input, Notice, Select, useToast } from "@/ui";
import { putRota, usePeople } from "./oncall-queries";
import { text } from "./oncall-text";
import { emptyLayer, HOURS, type Layer, moved, problemOf, type Restriction, type Rota } from "./rota";

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

/** RotaForm writes a rota or changes one; its overrides stay as they are. */
export function RotaForm({ before, onClose }: { before: Rota | undefined; onClose: (saved?: string) => void }) {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const people = usePeople();
  const [draft, setDraft, drop] = useKept<Rota>(`rota.${before?.name ?? ""}.${before?.updatedAt ?? ""}`, () => {
    const { overrides: _, ...rest } = before ?? {};
    return {
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      layers: [emptyLayer("primary", new Date())],
      ...rest,
    };
  });
  const set = (part: Partial<Rota>) => setDraft({ ...draft, ...part });
  const layers = draft.layers ?? [];
  const problem = problemOf(
    draft,
    (people.data ?? []).map((p) => p.name ?? ""),
  );
  const close = (saved?: string) => {
    drop();
    onClose(saved);
  };
  const save = useChange([["rotas"], ["rota"], ["oncall"], ["shifts"]], () => putRota(draft), {
    tell: false,
    onDone: () => {
      toast({
        message: t.saved(draft.name ?? ""),
        ...(before ? { undo: () => void putRota(before) } : {}),
      });
      close(draft.name);
    },
  });
  return (
    <form
      className="form rota-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (!problem) save.mutate();
      }}
    >
      <div className="form-row">
        <Field label={t.name} hint={t.nameHint}>
          <Input
            value={draft.name ?? ""}
            disabled={before !== undefined}
            maxLength={100}
            onChange={(e) => set({ name: e.target.value })}
          />
        </Field>
        <Field label={t.zone} hint={t.zoneHint}>
          <Input value={draft.timeZone ?? ""} onChange={(e) => set({ timeZone: e.target.value })} />
        </Field>
        <Field label={t.description}>
          <Input
            value={draft.description ?? ""}
            maxLength={1000}
            onChange={(e) => set({ description: e.target.value })}
          />
        </Field>
      </div>
      <h2>{t.layers}</h2>
      <p className="quiet small">{t.layersHint}</p>
      {layers.map((layer, i) => (
        <LayerFields
          key={i}
          layer={layer}
          onValue={(next) => set({ layers: layers.map((one, j) => (i === j ? next : one)) })}
          onRemove={() => set({ layers: layers.filter((_, j) => j !== i) })}
        />
      ))}
      <div>
        <Button
          small
          icon="plus"
          onClick={() => set({ layers: [...layers, emptyLayer(`layer-${layers.length + 1}`, new Date())] })}
        >
          {t.addLayer}
        </Button>
      </div>
      {save.error && <Notice tone="bad">{save.error.message}</Notice>}
      <div className="form-foot">
        <Button type="submit" look="primary" disabled={!may("operator") || problem !== undefined || save.isPending}>
          {t.save}
        </Button>
        <Button onClick={() => close()}>{t.cancel}</Button>
        {problem && <span className="quiet small">{t.problem[problem]}</span>}
      </div>
    </form>
  );
}

function LayerFields({
  layer,
  onValue,
  onRemove,
}: {
  layer: Layer;
  onValue: (layer: Layer) => void;
  onRemove: () => void;
}) {
  const t = useText(text);
  const set = (part: Partial<Layer>) => onValue({ ...layer, ...part });
  const byHours = layer.hours !== undefined && layer.hours !== null;
  return (
    <fieldset className="layer">
      <div className="form-row narrow">
        <Field label={t.layer}>
          <Input value={layer.name ?? ""} maxLength={100} onChange={(e) => set({ name: e.target.value })} />
        </Field>
        <Field label={t.start}>
          <Input type="date" value={layer.start ?? ""} onChange={(e) => set({ start: e.target.value })} />
        </Field>
        <Field label={t.handOver}>
          <Input type="time" value={layer.handOver ?? ""} onChange={(e) => set({ handOver: e.target.value })} />
        </Field>
        <Field label={t.length}>
          <span className="row">
            {byHours ? (
              <Select
                label={t.length}
                value={String(layer.hours)}
                options={HOURS.map(String)}
                onValue={(hours) => set({ hours: Number(hours) })}
              />
            ) : (
              <Input
                label={t.length}
                className="layer-days"
                type="number"
                min={1}
                value={layer.days ?? ""}
                onChange={(e) => set({ days: Number(e.target.value) })}
              />
            )}
            <Select
              label={t.lengthDays}
              value={byHours ? "hours" : "days"}
              options={[
                { value: "days", name: t.lengthDays },
                { value: "hours", name: t.lengthHours },
              ]}
              onValue={(unit) => {
                const { days: _, hours: __, ...rest } = layer;
                onValue(unit === "hours" ? { ...rest, hours: 12 } : { ...rest, days: 7 });
              }}
            />
          </span>
        </Field>
      </div>
      <Turns people={layer.people ?? []} onValue={(people) => set({ people })} />
      <Restrictions of={layer.restrictions ?? []} onValue={(restrictions) => set({ restrictions })} />
      <div>
        <Button small icon="trash" onClick={onRemove}>
          {t.remove}
        </Button>
      </div>
    </fieldset>
  );
}

function Turns({ people, onValue }: { people: string[]; onValue: (people: string[]) => void }) {
  const t = useText(text);
  const known = usePeople();
  return (
    <div className="column">
      <span className="soft small">{t.takeTurns}</span>
      <ol className="column">
        {people.map((name, i) => (
          <li key={`${name}-${i}`} className="row">
            <span className="num quiet">{i + 1}</span>
            <span className="strong">{name}</span>
            <IconButton small icon="up" label={`${t.up} ${name}`} onClick={() => onValue(moved(people, i, -1))} />
            <IconButton small icon="down" label={`${t.down} ${name}`} onClick={() => onValue(moved(people, i, 1))} />
            <IconButton
              small
              icon="close"
              label={`${t.remove} ${name}`}
              onClick={() => onValue(people.filter((_, j) => j !== i))}
            />
          </li>
        ))}
      </ol>
      <div>
        <Select
          label={t.addPerson}
          value=""
          options={[
            { value: "", name: t.addPerson },
            ...(known.data ?? []).map((p) => ({ value: p.name ?? "", name: p.displayName || p.name || "" })),
          ]}
          onValue={(name) => name && onValue([...people, name])}
        />
      </div>
    </div>
  );
}

function Restrictions({ of, onValue }: { of: Restriction[]; onValue: (of: Restriction[]) => void }) {
  const t = useText(text);
  const change = (at: number, part: Partial<Restriction>) =>
    onValue(of.map((r, i) => (i === at ? { ...r, ...part } : r)));
  return (
    <div className="column">
      <span className="soft small">
        {t.restrictions} · {t.always}
      </span>
      {of.map((r, i) => (
        <div key={i} className="row wrap">
          {WEEKDAYS.map((day, d) => (
            <Check
              key={day}
              label={t[day]}
              checked={r.weekdays?.includes(d + 1) ?? false}
              onValue={(on) =>
                change(i, {
                  weekdays: on
                    ? [...(r.weekdays ?? []), d + 1].sort()
                    : (r.weekdays ?? []).filter((one) => one !== d + 1),
                })
              }
            />
          ))}
          {(r.weekdays?.length ?? 0) === 0 && <span className="quiet small">{t.everyDay}</span>}
          <Input
            type="time"
            label={t.from}
            value={r.from ?? ""}
            onChange={(e) => change(i, { from: e.target.value })}
          />
          <span>–</span>
          <Input type="time" label={t.to} value={r.to ?? ""} onChange={(e) => change(i, { to: e.target.value })} />
          <IconButton icon="close" label={t.remove} onClick={() => onValue(of.filter((_, j) => j !== i))} />
        </div>
      ))}
      <div>
        <Button small icon="plus" onClick={() => onValue([...of, { weekdays: [], from: "18:00", to: "08:00" }])}>
          {t.addRestriction}
        </Button>
      </div>
    </div>
  );
}
