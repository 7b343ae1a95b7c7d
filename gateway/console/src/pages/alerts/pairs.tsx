import { Button, IconButton, Input } from "@/ui";
import type { Pairs as Of } from "./policy";

/** Pairs are names with values that one adds and removes. */
export function Pairs({
  of,
  onValue,
  texts,
  names,
  disabled,
}: {
  of: Of;
  onValue: (pairs: Of) => void;
  texts: { add: string; remove: string; pairName: string; pairValue: string };
  /** names are offered while one types a name. */
  names?: readonly string[];
  disabled?: boolean;
}) {
  const change = (at: number, pair: [string, string]) => onValue(of.map((one, i) => (i === at ? pair : one)));
  const listId = names ? `names-${names.join("-")}` : undefined;
  return (
    <div className="pairs">
      {names && (
        <datalist id={listId}>
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
      {of.map(([name, value], i) => (
        <div key={i} className="pair">
          <Input
            label={texts.pairName}
            placeholder={texts.pairName}
            value={name}
            list={listId}
            disabled={disabled}
            onChange={(e) => change(i, [e.target.value, value])}
          />
          <Input
            label={`${texts.pairValue} ${name}`}
            placeholder={texts.pairValue}
            value={value}
            disabled={disabled}
            onChange={(e) => change(i, [name, e.target.value])}
          />
          <IconButton
            icon="close"
            label={`${texts.remove} ${name}`}
            disabled={disabled}
            onClick={() => onValue(of.filter((_, j) => j !== i))}
          />
        </div>
      ))}
      <div>
        <Button small icon="plus" disabled={disabled} onClick={() => onValue([...of, ["", ""]])}>
          {texts.add}
        </Button>
      </div>
    </div>
  );
}
