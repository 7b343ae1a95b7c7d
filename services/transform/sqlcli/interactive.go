package sqlcli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode"

	"github.com/reeflective/readline"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/grid"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

const (
	prompt = "weirflow> "
	more   = "       -> "
)

const welcome = "Weirflow SQL. A statement ends with a semicolon; help; tells more, Ctrl-D leaves.\n"

const help = `A statement ends with a semicolon and may take several lines. Tab completes.

  SELECT … ;          shows the rows as they come; Ctrl-C ends it
  INSERT INTO … ;     runs until its input ends, or Ctrl-C
  SHOW TABLES;  DESCRIBE t;  SHOW CREATE TABLE t;  SHOW FUNCTIONS;
  EXPLAIN SELECT … ;  how a statement would run
  SET;  SET 'key' = 'value';  RESET 'key';

  history;            the statements so far
  clear;              an empty screen
  quit; or Ctrl-D     leaves
`

// shell talks to someone at a terminal.
type shell struct {
	r       *runner
	session *sql.Session
	history *history
	lines   interface{ Readline() (string, error) }
	stdout  io.Writer
	stderr  io.Writer
}

// Interact reads statements from the terminal and runs them until its user leaves.
// Those of Init are run before.
func Interact(ctx context.Context, o Options) error {
	out := &output{w: bufio.NewWriterSize(o.Stdout, 1<<16)}
	sh := &shell{r: &runner{o: o, connectors: connectors.All(), out: out, attended: true}, stdout: o.Stdout, stderr: o.Stderr}
	sh.session = sql.NewSession(sql.Options{Setting: script.CheckSetting, Validate: sh.r.connectors.Validate, Config: o.Settings, Operators: script.Operators(wasm.Library{Anywhere: true})})
	var err error
	if sh.history, err = openHistory(historyPath()); err != nil {
		fmt.Fprintln(o.Stderr, "the history cannot be read and is not kept:", err)
	}
	if err := sh.run(ctx, o.Init); err != nil {
		return fmt.Errorf("--init: %w", err)
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		sh.lines = &plain{in: bufio.NewReader(os.Stdin), out: o.Stdout, history: sh.history}
	} else {
		sh.open()
	}
	fmt.Fprint(o.Stdout, welcome)
	for {
		text, err := sh.lines.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, readline.ErrInterrupt):
			continue // the line is dropped
		case err != nil:
			return fmt.Errorf("read from the terminal: %w", err)
		}
		if sh.answer(ctx, text) {
			return nil
		}
	}
}

// open prepares the line editor.
func (sh *shell) open() {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return prompt })
	rl.Prompt.Secondary(func() string { return more })
	rl.AcceptMultiline = func(line []rune) bool { return command(string(line)) != "" || sql.Complete(string(line)) }
	rl.History.Delete()
	rl.History.Add("history", sh.history)
	c := &completer{session: sh.session, connectors: sh.r.connectors}
	rl.Completer = func(line []rune, cursor int) readline.Completions { return offer(c, string(line[:cursor])) }
	for k, v := range map[string]any{"completion-ignore-case": true, "multiline-column": false, "multiline-column-numbered": false, "autocomplete": false, "usage-hint-always": false} {
		_ = rl.Config.Set(k, v) // an unknown variable of another version
	}
	sh.lines = rl
}

// offer makes what a text may go on with into candidates of the line editor, for
// which a word is all that stands between blanks.
func offer(c *completer, before string) readline.Completions {
	word, candidates, quoted := c.complete(before)
	blank := before[strings.LastIndexFunc(before, unicode.IsSpace)+1:]
	lead := strings.TrimSuffix(blank, word)
	all := make([]readline.Completion, 0, len(candidates))
	for _, s := range candidates {
		value := lead + s
		if quoted {
			value += "'"
		}
		all = append(all, readline.Completion{Value: value, Display: s})
	}
	out := readline.CompleteRaw(all)
	out.PREFIX = blank
	return out
}

// command returns the word of a text that is a command of the terminal itself.
func command(text string) string {
	word := strings.ToLower(strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";")))
	switch word {
	case "help", "quit", "exit", "clear", "history":
		return word
	}
	return ""
}

// answer does what a text says; true ends the session.
func (sh *shell) answer(ctx context.Context, text string) (leave bool) {
	switch command(text) {
	case "quit", "exit":
		return true
	case "help":
		fmt.Fprint(sh.stdout, help)
		return false
	case "clear":
		fmt.Fprint(sh.stdout, "\x1b[H\x1b[2J")
		return false
	case "history":
		for i, l := range sh.history.lines {
			fmt.Fprintf(sh.stdout, "%4d  %s\n", i+1, strings.ReplaceAll(l, "\n", "\n      "))
		}
		return false
	}
	if err := sh.run(ctx, text); err != nil {
		fmt.Fprintln(sh.stderr, pointed(text, err))
	}
	return false
}

// run runs the statements of a text, which Ctrl-C ends.
func (sh *shell) run(ctx context.Context, text string) error {
	if w := columnsOf(sh.stdout); w > 0 {
		sh.r.o.Width = w
	}
	stmts, err := sql.Parse(text)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	for _, st := range stmts {
		sh.r.rows = -1
		began := time.Now()
		if err := sh.r.statement(ctx, sh.session, st); err != nil {
			return errors.Join(err, sh.r.out.flush())
		}
		sh.r.out.Println([]byte(sh.done(ctx, time.Since(began))))
		if err := sh.r.out.flush(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// done says how a statement went.
func (sh *shell) done(ctx context.Context, took time.Duration) string {
	text := "done"
	if n := sh.r.rows; n == 1 {
		text = "1 row"
	} else if n >= 0 {
		text = fmt.Sprintf("%d rows", n)
	}
	if v, _ := sh.session.Get("sql-client.display.print-time-cost"); v != "false" {
		text += fmt.Sprintf(" (%.2f s)", took.Seconds())
	}
	if ctx.Err() != nil {
		text += ", interrupted"
	}
	return text + "\n"
}

// pointed adds to an error the line of the text that it is about, and points at the place.
func pointed(text string, err error) string {
	e, ok := errors.AsType[*sql.Error](err)
	if !ok || e.Line < 1 {
		return "error: " + err.Error()
	}
	lines := strings.Split(text, "\n")
	if e.Line > len(lines) {
		return "error: " + err.Error()
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[e.Line-1], "\r"), "\t", " ")
	lead := []rune(line)
	lead = lead[:min(max(e.Column-1, 0), len(lead))]
	return fmt.Sprintf("error: %s\n  %s\n  %s^", err, line, strings.Repeat(" ", grid.Width(string(lead))))
}
