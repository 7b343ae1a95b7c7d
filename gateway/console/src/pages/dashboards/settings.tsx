import { useState } from "react";
import { useText } from "@/i18n";
import { QUICK } from "@/time/range";
import { Button, Dialog, Field, IconButton, Input, Select } from "@/ui";
import type { Dashboard, Variable } from "./model";
import { text } from "./text";

type Settings = Pick<Dashboard, "title" | "description" | "range" | "variables">;

/** SettingsDialog changes a dashboard's title, the time it shows first, and its variables. */
export function SettingsDialog({
  dashboard,
  onApply,
  onClose,
}: {
  dashboard: Dashboard;
  onApply: (settings: Settings) => void;
  onClose: () => void;
}) {
  const t = useText(text);
  const [own, setOwn] = useState<Settings>(() => {
    const { title, description, range, variables } = dashboard;
    return { title, description, range, variables };
  });
  const set = (change: Partial<Settings>) => setOwn({ ...own, ...change });
  const ranges = QUICK.map((quick) => `now-${quick}`);
  const names = own.variables.map((one) => one.name);
  const wrong = names.some((name, i) => !/^[A-Za-z_]\w*$/.test(name) || names.indexOf(name) !== i);
  const change = (i: number, next: Partial<Variable>) =>
    set({ variables: own.variables.map((one, k) => (k === i ? { ...one, ...next } : one)) });
  return (
    <Dialog
      broad
      title={t.settings}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={wrong || own.title.trim() === ""} onClick={() => onApply(own)}>
            {t.apply}
          </Button>
        </>
      }
    >
      <Field label={t.dashboardTitle}>
        <Input value={own.title} onChange={(e) => set({ title: e.target.value })} />
      </Field>
      <Field label={t.description}>
        <Input value={own.description} onChange={(e) => set({ description: e.target.value })} />
      </Field>
      <Field label={t.range}>
        <Select
          value={own.range}
          options={ranges.includes(own.range) || own.range === "" ? ranges : [own.range, ...ranges]}
          onValue={(range) => set({ range })}
        />
      </Field>
      <section className="section">
        <h3>{t.variables}</h3>
        <p className="small quiet">{t.variableHint}</p>
        {own.variables.map((variable, i) => (
          <div key={i} className="dash-variable">
            <Field label={t.variableName}>
              <Input value={variable.name} onChange={(e) => change(i, { name: e.target.value })} />
            </Field>
            <Field label={t.variableLabel}>
              <Input value={variable.label} onChange={(e) => change(i, { label: e.target.value })} />
            </Field>
            <Field label={t.variableSource}>
              <Input
                value={variable.source}
                placeholder={t.sourceHint}
                title={t.sourceHint}
                onChange={(e) => change(i, { source: e.target.value })}
              />
            </Field>
            <Field label={t.variableValue}>
              <Input value={variable.value} onChange={(e) => change(i, { value: e.target.value })} />
            </Field>
            <IconButton
              icon="trash"
              label={t.removeVariable(variable.name)}
              onClick={() => set({ variables: own.variables.filter((_, k) => k !== i) })}
            />
          </div>
        ))}
        <div>
          <Button
            small
            icon="plus"
            onClick={() => set({ variables: [...own.variables, { name: "", label: "", value: "", source: "" }] })}
          >
            {t.addVariable}
          </Button>
        </div>
        <p className="small quiet">{t.sourceHint}</p>
      </section>
    </Dialog>
  );
}
