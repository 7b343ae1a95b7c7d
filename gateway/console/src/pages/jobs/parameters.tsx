import { useText } from "@/i18n";
import { Button, IconButton, Input } from "@/ui";
import { text } from "./text";

type Rows = [string, string][];

/** Parameters are a job's options, a row each. */
export function Parameters({ value, onValue }: { value: Rows; onValue: (value: Rows) => void }) {
  const t = useText(text);
  const set = (at: number, key: string, option: string) =>
    onValue(value.map((row, i) => (i === at ? [key, option] : row)));
  return (
    <div className="column">
      <p className="quiet small">{t.parametersHint}</p>
      {value.map(([key, option], i) => (
        <div key={i} className="row">
          <Input
            className="mono bench-key"
            label={t.key}
            placeholder="table.exec.source.idle-timeout"
            value={key}
            onChange={(e) => set(i, e.target.value, option)}
          />
          <Input
            className="mono"
            label={t.value}
            placeholder="5 s"
            value={option}
            onChange={(e) => set(i, key, e.target.value)}
          />
          <IconButton icon="close" label={t.remove} onClick={() => onValue(value.filter((_, at) => at !== i))} />
        </div>
      ))}
      <div>
        <Button small icon="plus" onClick={() => onValue([...value, ["", ""]])}>
          {t.addParameter}
        </Button>
      </div>
    </div>
  );
}
