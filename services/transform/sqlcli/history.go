package sqlcli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// kept is how many statements the history keeps.
const kept = 1000

// history is the statements of this and earlier sessions. Those with secrets are
// remembered for the session, but not written to the file.
type history struct {
	path  string // empty: nothing is written
	lines []string
}

// historyPath is where the history is kept.
func historyPath() string {
	if p, ok := os.LookupEnv("WEIRFLOW_SQL_HISTORY"); ok {
		return p
	}
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "weirflow", "sql_history")
}

// openHistory reads the history. One that cannot be read is no reason not to work.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	if path == "" {
		return h, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return &history{}, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	total := 0
	for s.Scan() {
		var line string
		if json.Unmarshal(s.Bytes(), &line) == nil {
			h.lines = append(h.lines, line)
			total++
		}
	}
	if err := s.Err(); err != nil {
		return &history{}, fmt.Errorf("read %s: %w", path, err)
	}
	if len(h.lines) > kept {
		h.lines = h.lines[len(h.lines)-kept:]
	}
	if total > 2*kept {
		return h, h.rewrite()
	}
	return h, nil
}

// rewrite makes the file as short as the history.
func (h *history) rewrite() error {
	var b strings.Builder
	for _, l := range h.lines {
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b.Write(append(text, '\n'))
	}
	return os.WriteFile(h.path, []byte(b.String()), 0o600)
}

// Write adds a statement.
func (h *history) Write(line string) (int, error) {
	line = strings.TrimSpace(line)
	h.lines = append(h.lines, line)
	if h.path == "" || sql.Redact(line) != line {
		return len(h.lines), nil
	}
	text, err := json.Marshal(line)
	if err != nil {
		return len(h.lines), err
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return len(h.lines), err
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return len(h.lines), err
	}
	_, err = f.Write(append(text, '\n'))
	return len(h.lines), errors.Join(err, f.Close())
}

// errNoLine says that the history has no line of a number.
var errNoLine = errors.New("no such line")

// GetLine returns a statement by its number.
func (h *history) GetLine(i int) (string, error) {
	if i < 0 || i >= len(h.lines) {
		return "", errNoLine
	}
	return h.lines[i], nil
}

// Len is the number of statements.
func (h *history) Len() int { return len(h.lines) }

// Dump returns all statements.
func (h *history) Dump() any { return h.lines }
