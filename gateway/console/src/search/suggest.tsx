import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useText } from "@/i18n";
import "./suggest.css";
import { text } from "./text";

export interface Suggestion {
  /** text takes the place of what is typed from `from` on. */
  text: string;
  /** detail stands beside it: a type, or how many. */
  detail?: string;
}

/** Suggestions are what may come at the caret, and from where on it is typed already. */
export interface Suggestions {
  from: number;
  items: Suggestion[];
}

interface SuggestInputProps {
  value: string;
  /** onCommit is told what was typed, by Enter, by a choice where `pick` is set, or on leaving. */
  onCommit: (value: string) => void;
  /** suggest says what may stand at the caret. */
  suggest: (typed: string, caret: number) => Suggestions;
  label: string;
  placeholder?: string;
  className?: string;
  /** pick: a suggestion is the whole value, and choosing it commits. */
  pick?: boolean;
  invalid?: boolean;
  /** id of what says why it is invalid. */
  describedBy?: string;
  mono?: boolean;
}

const MOST = 200;

/** SuggestInput is a line of text that knows what may come next. */
export function SuggestInput(props: SuggestInputProps) {
  const { value, onCommit, suggest, label, placeholder, className, pick, invalid, describedBy, mono } = props;
  const t = useText(text);
  const id = useId();
  const [typed, setTyped] = useState(value);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [caret, setCaret] = useState(0);
  const [fresh, setFresh] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);

  // What stands there already is no filter: on opening, a picker shows all there is.
  const found = open ? suggest(pick && fresh ? "" : typed, pick && fresh ? 0 : caret) : { from: 0, items: [] };
  const items = found.items.slice(0, MOST);
  const shown = open && items.length > 0;

  const commit = (next: string) => {
    setOpen(false);
    setTyped(next);
    if (next !== value) onCommit(next);
  };
  const choose = (index: number) => {
    const chosen = items[index];
    if (!chosen) return;
    if (pick) {
      commit(chosen.text);
      return;
    }
    const next = typed.slice(0, found.from) + chosen.text + typed.slice(caret);
    const end = found.from + chosen.text.length;
    setTyped(next);
    setAt(-1);
    setCaret(end);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(end, end);
    });
  };
  const key = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!shown) setOpen(true);
      else setAt((at + (e.key === "ArrowDown" ? 1 : -1) + items.length + 1) % (items.length + 1));
    } else if (e.key === "Enter") {
      e.preventDefault();
      if (shown && at >= 0) choose(at);
      else commit(typed);
    } else if (e.key === "Tab" && shown && at >= 0 && !pick) {
      e.preventDefault();
      choose(at);
    } else if (e.key === "Escape" && shown) {
      e.preventDefault();
      setOpen(false);
    }
  };
  const look = () => setCaret(input.current?.selectionStart ?? typed.length);

  return (
    <div className={`suggest ${className ?? ""}`}>
      <input
        ref={input}
        className={mono ? "input mono" : "input"}
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={shown ? id : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown && at >= 0 ? `${id}-${at}` : undefined}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={typed}
        onChange={(e) => {
          setTyped(e.target.value);
          setCaret(e.target.selectionStart ?? e.target.value.length);
          setAt(-1);
          setFresh(false);
          setOpen(true);
        }}
        onFocus={() => {
          if (pick) {
            setFresh(true);
            setAt(-1);
            input.current?.select();
          }
        }}
        onClick={() => {
          look();
          setOpen(true);
        }}
        onKeyUp={(e) =>
          (e.key === "ArrowLeft" || e.key === "ArrowRight" || e.key === "Home" || e.key === "End") && look()
        }
        onBlur={() => commit(typed)}
        onKeyDown={key}
      />
      {shown && (
        <ul id={id} role="listbox" aria-label={t.suggestions} className="suggest-list" ref={list}>
          {items.map((item, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys.
            <li
              key={item.text}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              tabIndex={-1}
              // The field keeps the focus, or leaving it would close the list first.
              onPointerDown={(e) => e.preventDefault()}
              onClick={() => choose(i)}
            >
              <span className="grow clip" title={item.text}>
                {item.text}
              </span>
              {item.detail && <span className="quiet small">{item.detail}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
