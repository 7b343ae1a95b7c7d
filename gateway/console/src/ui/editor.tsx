import { autocompletion, type CompletionSource, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { SQLDialect, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder as placeholderOf,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { type RefObject, useEffect, useEffectEvent, useRef } from "react";
import { RESERVED } from "@/sql/reserved";

/** Mark is a place in the text that something is wrong with; line and column start at 1. */
export interface Mark {
  line: number;
  column: number;
  message: string;
  severity?: "error" | "warning";
}

/** EditorHandle is what a page may do to the editor. */
export interface EditorHandle {
  /** selected is where the chosen text stands, or undefined without a selection. */
  selected: () => { from: number; to: number } | undefined;
  goTo: (line: number, column: number) => void;
  focus: () => void;
}

export interface EditorProps {
  value: string;
  onValue?: (value: string) => void;
  language?: "sql" | "text";
  /** label names the editor for a screen reader. */
  label: string;
  marks?: readonly Mark[];
  /** complete offers completions in place of SQL's own. */
  complete?: CompletionSource;
  /** keys are shortcuts such as "Mod-Enter". */
  keys?: Record<string, () => void>;
  readOnly?: boolean;
  placeholder?: string;
  minHeight?: number;
  handle?: RefObject<EditorHandle | null>;
}

/** FLINK is Flink SQL's way of writing: names in backticks, text in single quotes. */
const FLINK = SQLDialect.define({
  keywords: [...RESERVED, "WATERMARK", "CONNECTOR", "VIEW", "IF", "TEMPORARY", "TUMBLE", "HOP", "CUMULATE", "SESSION"]
    .join(" ")
    .toLowerCase(),
  types:
    "array bigint binary boolean bytes char date decimal double float int integer interval map multiset numeric row smallint string time timestamp timestamp_ltz tinyint varbinary varchar",
  identifierQuotes: "`",
  doubleQuotedStrings: false,
  backslashEscapes: false,
});

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--bg)", fontSize: "13px", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--text-3)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--bg-hover) 60%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "light-dark(#cfe6ee, #1f4450)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--bg-active)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": {
    backgroundColor: "var(--bg-float)",
    color: "var(--text)",
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--bg-active)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-panels": { backgroundColor: "var(--bg-sunken)", color: "var(--text)" },
  ".cm-lintRange-warning": { backgroundImage: "none", borderBottom: "1px dotted var(--late-fill)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad-fill)" },
  ".cm-placeholder": { color: "var(--text-3)" },
});

const colors = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--syntax-keyword)" },
  { tag: tags.string, color: "var(--syntax-string)" },
  { tag: tags.special(tags.string), color: "var(--syntax-key)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--syntax-number)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--syntax-comment)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.standard(tags.name)], color: "var(--syntax-number)" },
]);

/** nonce lets the editor's styles through the page's Content-Security-Policy. */
function nonce(): Extension {
  const value = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  return value ? EditorView.cspNonce.of(value) : [];
}

function languageOf(language: EditorProps["language"], complete: CompletionSource | undefined): Extension {
  if (language === "text") return complete ? autocompletion({ override: [complete] }) : [];
  return [
    sql({ dialect: FLINK, upperCaseKeywords: true }),
    autocompletion(complete ? { override: [complete], icons: false } : { icons: false }),
  ];
}

export default function Editor(props: EditorProps) {
  const { value, language = "sql", label, marks, readOnly = false, placeholder, minHeight = 200, handle } = props;
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const writable = useRef(new Compartment());
  const changed = useEffectEvent((text: string) => props.onValue?.(text));
  const complete = useEffectEvent<CompletionSource>((context) => props.complete?.(context) ?? null);
  const press = useEffectEvent((key: string) => props.keys?.[key]?.());
  const completes = props.complete !== undefined;
  const keyNames = Object.keys(props.keys ?? {}).join(" ");

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; later changes go through transactions.
  useEffect(() => {
    if (!box.current) return;
    const own = keyNames.split(" ").filter(Boolean);
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          nonce(),
          keymap.of(own.map((key) => ({ key, preventDefault: true, run: () => (press(key), true) }))),
          lineNumbers(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightSelectionMatches(),
          languageOf(language, completes ? (context) => complete(context) : undefined),
          lintGutter(),
          syntaxHighlighting(colors),
          look,
          placeholder ? placeholderOf(placeholder) : [],
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.lineWrapping,
          writable.current.of(EditorState.readOnly.of(readOnly)),
          // Escape, then Tab leaves the editor by keyboard.
          keymap.of([
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
            ...lintKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    if (handle) handle.current = handleOf(made);
    return () => {
      made.destroy();
      view.current = null;
      if (handle) handle.current = null;
    };
  }, [language, label, placeholder, keyNames]);

  useEffect(() => {
    const now = view.current;
    if (now && now.state.doc.toString() !== value) {
      now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: value } });
    }
  }, [value]);

  useEffect(() => {
    view.current?.dispatch({ effects: writable.current.reconfigure(EditorState.readOnly.of(readOnly)) });
  }, [readOnly]);

  useEffect(() => {
    const now = view.current;
    if (now)
      now.dispatch(
        setDiagnostics(
          now.state,
          (marks ?? []).map((mark) => diagnostic(now.state, mark)),
        ),
      );
  }, [marks]);

  return <div ref={box} className="editor" style={{ minHeight }} />;
}

/** diagnostic underlines the word at a mark's place. */
function diagnostic(state: EditorState, mark: Mark): Diagnostic {
  const from = placeOf(state, mark.line, mark.column);
  const word = state.wordAt(from);
  const to = word && word.to > from ? word.to : Math.min(from + 1, state.doc.length);
  return { from: Math.min(from, Math.max(0, to - 1)), to, severity: mark.severity ?? "error", message: mark.message };
}

function placeOf(state: EditorState, line: number, column: number): number {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  return Math.min(at.from + Math.max(column - 1, 0), at.to);
}

function handleOf(view: EditorView): EditorHandle {
  return {
    selected: () => {
      const { from, to } = view.state.selection.main;
      return from === to ? undefined : { from, to };
    },
    goTo: (line, column) => {
      const at = placeOf(view.state, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
  };
}
