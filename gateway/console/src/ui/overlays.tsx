import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { texts, useText } from "@/i18n";
import { Button, Field, IconButton, Input } from "./controls";
import type { IconName } from "./icons";
import { Icon } from "./icons";

const text = texts(
  {
    close: "Close",
    cancel: "Cancel",
    typeName: (name: string) => `Type ${name} to confirm`,
    undo: "Undo",
  },
  {
    close: "关闭",
    cancel: "取消",
    typeName: (name: string) => `输入 ${name} 以确认`,
    undo: "撤销",
  },
);

/** Drawer shows details at the right, or as a sheet on a narrow screen. Escape closes it. */
export function Drawer({
  title,
  actions,
  onClose,
  broad,
  children,
}: {
  title: ReactNode;
  actions?: ReactNode;
  onClose: () => void;
  broad?: boolean;
  children: ReactNode;
}) {
  const t = useText(text);
  const id = useId();
  const box = useRef<HTMLElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const before = document.activeElement;
    box.current?.focus();
    const key = (e: KeyboardEvent) => {
      if (e.key === "Escape" && !e.defaultPrevented && !document.querySelector("dialog[open]")) close.current();
    };
    addEventListener("keydown", key);
    return () => {
      removeEventListener("keydown", key);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside className={broad ? "drawer broad" : "drawer"} aria-labelledby={id} tabIndex={-1} ref={box}>
      <div className="drawer-head">
        <h2 id={id} className="grow clip">
          {title}
        </h2>
        {actions}
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </div>
      <div className="drawer-body" tabIndex={0} role="region" aria-labelledby={id}>
        {children}
      </div>
    </aside>
  );
}

/** Dialog asks something and waits for the answer. */
export function Dialog({
  title,
  onClose,
  broad,
  children,
  foot,
}: {
  title: string;
  onClose: () => void;
  broad?: boolean;
  children: ReactNode;
  foot?: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={broad ? "dialog broad" : "dialog"}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
        {foot && <div className="dialog-foot">{foot}</div>}
      </div>
    </dialog>
  );
}

/**
 * Confirm asks before what can't be undone: it says what will be lost, in numbers, and
 * with `typed` wants that text typed.
 */
export function Confirm({
  title,
  children,
  action,
  typed,
  busy,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  action: string;
  typed?: string;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const t = useText(text);
  const [value, setValue] = useState("");
  const ready = !busy && (typed === undefined || value === typed);
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="danger" disabled={!ready} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <div className="column">{children}</div>
      {typed !== undefined && (
        <Field label={t.typeName(typed)}>
          <Input
            value={value}
            onChange={(e) => setValue(e.target.value)}
            onKeyDown={(e) => e.key === "Enter" && ready && onConfirm()}
          />
        </Field>
      )}
    </Dialog>
  );
}

export interface MenuItem {
  id: string;
  name: ReactNode;
  icon?: IconName;
  checked?: boolean;
  danger?: boolean;
  onChoose: () => void;
}

/** Menu is a button with choices. Arrows move, Escape closes. */
export function Menu({
  label,
  icon,
  name,
  items,
  start,
  small,
}: {
  label: string;
  icon?: IconName;
  name?: ReactNode;
  items: readonly MenuItem[];
  /** start opens it to the right, from its left edge. */
  start?: boolean;
  small?: boolean;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  const move = (by: number) => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + by + all.length) % all.length]?.focus();
  };
  return (
    <div
      className="menu-box"
      ref={box}
      role="presentation"
      onKeyDown={(e) => {
        if (!open) return;
        if (e.key === "Escape") {
          e.preventDefault();
          close();
        } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          move(e.key === "ArrowDown" ? 1 : -1);
        } else if (e.key === "Tab") setOpen(false);
      }}
    >
      <button
        type="button"
        className={`button ghost ${name === undefined ? "icon" : ""} ${small ? "small" : ""}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={name === undefined ? label : undefined}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {icon && <Icon name={icon} />}
        {name !== undefined && <span className="hidden-label">{label}</span>}
        {name}
      </button>
      {open && (
        <div className={start ? "menu start" : "menu"} role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.id}
              type="button"
              className={item.danger ? "menu-item danger" : "menu-item"}
              role={item.checked === undefined ? "menuitem" : "menuitemradio"}
              aria-checked={item.checked}
              onClick={() => {
                close();
                item.onChoose();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              <span className="grow">{item.name}</span>
              {item.checked && <Icon name="check" size={14} />}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

interface ToastContent {
  message: string;
  /** undo takes the thing back. */
  undo?: () => void;
}

const ToastContext = createContext<(toast: ToastContent) => void>(() => undefined);

/** useToast tells what was done, with a way back: toast({message, undo}). */
export function useToast() {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const t = useText(text);
  const [toasts, setToasts] = useState<(ToastContent & { id: number })[]>([]);
  const next = useRef(1);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const show = useMemo(
    () => (toast: ToastContent) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-2), { ...toast, id }]);
      setTimeout(() => drop(id), toast.undo ? 10_000 : 5000);
    },
    [drop],
  );
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            <span>{toast.message}</span>
            {toast.undo && (
              <button
                type="button"
                onClick={() => {
                  drop(toast.id);
                  toast.undo?.();
                }}
              >
                {t.undo}
              </button>
            )}
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
