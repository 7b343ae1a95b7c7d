import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { useIndices } from "@/pages/search/bar";
import type { Field } from "@/search/fields";
import { SuggestInput } from "@/search/suggest";
import { Field as FormField, Select } from "@/ui";
import type { Dashboard, Variable } from "./model";
import { text } from "./text";
import { ANY, fieldNames, roleOf, type Values } from "./variables";

interface BarProps {
  dashboard: Dashboard;
  values: Values;
  fields: readonly Field[];
  onValue: (name: string, value: string) => void;
}

/** VariableBar are the choices at the top of a dashboard. */
export function VariableBar({ dashboard, values, fields, onValue }: BarProps) {
  if (dashboard.variables.length === 0) return null;
  return (
    <div className="row wrap dash-variables">
      {dashboard.variables.map((variable) => {
        const props = {
          variable,
          value: values[variable.name] ?? "",
          onValue: (value: string) => onValue(variable.name, value),
        };
        return (
          <FormField key={variable.name} label={variable.label || variable.name}>
            {variable.source === "fields" ? (
              <FieldChoice {...props} fields={fields} dashboard={dashboard} />
            ) : variable.source === "indices" ? (
              <IndexChoice {...props} />
            ) : variable.source === "jobs" ? (
              <JobChoice {...props} />
            ) : variable.source.startsWith("label:") ? (
              <LabelChoice {...props} />
            ) : (
              <ListChoice {...props} options={variable.source.split(",").map((one) => one.trim())} />
            )}
          </FormField>
        );
      })}
    </div>
  );
}

interface ChoiceProps {
  variable: Variable;
  value: string;
  onValue: (value: string) => void;
}

function Picker({ variable, value, onValue, options }: ChoiceProps & { options: readonly string[] }) {
  return (
    <SuggestInput
      label={variable.label || variable.name}
      className="dash-choice"
      pick
      value={value}
      onCommit={(typed) => typed.trim() && onValue(typed.trim())}
      suggest={(typed) => ({
        from: 0,
        items: options
          .filter((one) => one.toLowerCase().includes(typed.trim().toLowerCase()))
          .map((one) => ({ text: one })),
      })}
    />
  );
}

function IndexChoice(props: ChoiceProps) {
  const indices = useIndices().data?.indices ?? [];
  return <Picker {...props} options={indices.flatMap((one) => one.name ?? [])} />;
}

function FieldChoice({
  fields,
  dashboard,
  ...props
}: ChoiceProps & { fields: readonly Field[]; dashboard: Dashboard }) {
  return <Picker {...props} options={fieldNames(fields, roleOf(props.variable.name, dashboard.panels))} />;
}

function JobChoice(props: ChoiceProps) {
  const jobs = useQuery({ queryKey: ["jobs"], queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }) });
  return <ListChoice {...props} options={(jobs.data?.jobs ?? []).flatMap((job) => job.name ?? [])} />;
}

function LabelChoice(props: ChoiceProps) {
  const label = props.variable.source.slice("label:".length);
  const values = useQuery({
    queryKey: ["label-values", label],
    queryFn: ({ signal }) => api.get("/api/v1/metrics/labels/{label}/values", { path: { label }, signal }),
    staleTime: 30_000,
  });
  return <ListChoice {...props} options={[ANY, ...(values.data?.values ?? [])]} />;
}

function ListChoice({ value, onValue, options }: ChoiceProps & { options: readonly string[] }) {
  const t = useText(text);
  const known = options.includes(value) ? options : [value, ...options];
  return (
    <Select
      value={value}
      onValue={onValue}
      options={known.map((one) => ({ value: one, name: one === ANY ? t.all : one }))}
    />
  );
}
