import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { texts, useText } from "@/i18n";
import { Icon, type IconName } from "./icons";

type ButtonLook = "plain" | "primary" | "danger" | "ghost";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: ButtonLook;
  small?: boolean;
  icon?: IconName;
}

/** Button is a button with a text, and an icon before it if given. */
export function Button({ look = "plain", small, icon, className, children, type, ...rest }: ButtonProps) {
  const names = ["button", look, small && "small", className].filter(Boolean).join(" ");
  return (
    <button type={type ?? "button"} className={names} {...rest}>
      {icon && <Icon name={icon} size={small ? 14 : 16} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** label says what it does: for a screen reader, and on hover. */
  label: string;
  look?: ButtonLook;
  small?: boolean;
}

export function IconButton({ icon, label, look = "ghost", small, className, type, ...rest }: IconButtonProps) {
  const names = ["button icon", look, small && "small", className].filter(Boolean).join(" ");
  return (
    <button type={type ?? "button"} className={names} aria-label={label} title={label} {...rest}>
      <Icon name={icon} size={small ? 14 : 16} />
    </button>
  );
}

/** Field puts a label over what one types in. */
export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label className="field">
      <span className="field-label">{label}</span>
      {children}
      {hint && <span className="small quiet">{hint}</span>}
    </label>
  );
}

/** Input is a field of one line. `label` is for screen readers where no Field is around it. */
export function Input({ label, className, ...rest }: InputHTMLAttributes<HTMLInputElement> & { label?: string }) {
  return (
    <input className={`input ${className ?? ""}`} aria-label={label} autoComplete="off" spellCheck={false} {...rest} />
  );
}

/** DelayedInput tells its text once one stops typing: for filters that ask the server. */
export function DelayedInput({
  value,
  onValue,
  delayMs = 300,
  ...rest
}: {
  value: string;
  onValue: (value: string) => void;
  delayMs?: number;
  label?: string;
} & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange">) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const tell = useRef(onValue);
  tell.current = onValue;
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setTyped(value);
    }
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => {
      told.current = typed;
      tell.current(typed);
    }, delayMs);
    return () => clearTimeout(timer);
  }, [typed, delayMs]);
  return <Input {...rest} value={typed} onChange={(e) => setTyped(e.target.value)} />;
}

interface SelectProps extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange"> {
  label?: string;
  options: readonly (string | { value: string; name: string })[];
  onValue: (value: string) => void;
}

export function Select({ label, options, onValue, className, ...rest }: SelectProps) {
  return (
    <select
      className={`select ${className ?? ""}`}
      aria-label={label}
      onChange={(e) => onValue(e.target.value)}
      {...rest}
    >
      {options.map((option) => {
        const { value, name } = typeof option === "string" ? { value: option, name: option } : option;
        return (
          <option key={value} value={value}>
            {name}
          </option>
        );
      })}
    </select>
  );
}

export function Check({
  label,
  checked,
  onValue,
  disabled,
}: {
  label: ReactNode;
  checked: boolean;
  onValue: (checked: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(e) => onValue(e.target.checked)} />
      <span>{label}</span>
    </label>
  );
}

export interface Tab {
  id: string;
  name: string;
  count?: number | string | undefined;
}

/** Tabs are a row of views; arrows move between them. The panel below is the caller's. */
export function Tabs({
  tabs,
  value,
  onValue,
  label,
}: {
  tabs: readonly Tab[];
  value: string;
  onValue: (id: string) => void;
  label: string;
}) {
  const base = useId();
  useEffect(() => {
    document.getElementById(`${base}-${value}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [base, value]);
  const move = (by: number) => {
    const at = tabs.findIndex((tab) => tab.id === value);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    onValue(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div
      className="tabs"
      role="tablist"
      aria-label={label}
      onKeyDown={(e) => {
        if (e.key === "ArrowRight") move(1);
        if (e.key === "ArrowLeft") move(-1);
      }}
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          id={`${base}-${tab.id}`}
          type="button"
          role="tab"
          className="tab"
          aria-selected={tab.id === value}
          tabIndex={tab.id === value ? 0 : -1}
          onClick={() => onValue(tab.id)}
        >
          {tab.name}
          {tab.count !== undefined && <span className="count num">{tab.count}</span>}
        </button>
      ))}
    </div>
  );
}

/** Badge marks a state; only what is bad or late has a colour. */
export function Badge({
  tone,
  children,
  title,
}: {
  tone?: "bad" | "late" | "accent";
  children: ReactNode;
  title?: string;
}) {
  return (
    <span className={`badge ${tone ?? ""}`} title={title}>
      {children}
    </span>
  );
}

const copyText = texts({ copy: "Copy", copied: "Copied" }, { copy: "复制", copied: "已复制" });

/** Copy puts a text on the clipboard. */
export function Copy({
  value,
  label,
  small = true,
}: {
  value: string | (() => string);
  label?: string;
  small?: boolean;
}) {
  const t = useText(copyText);
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => toClipboard(typeof value === "string" ? value : value()).then(() => setDone(true));
  if (label) {
    return (
      <Button small={small} icon={done ? "check" : "copy"} onClick={copy}>
        {done ? t.copied : label}
      </Button>
    );
  }
  return <IconButton small={small} icon={done ? "check" : "copy"} label={done ? t.copied : t.copy} onClick={copy} />;
}

/** toClipboard copies also where the page is not served over TLS, which has no clipboard API. */
async function toClipboard(value: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(value);
    return;
  }
  const area = document.createElement("textarea");
  area.value = value;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
