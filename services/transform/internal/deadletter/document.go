package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// action is one action of a bulk request.
type action struct {
	name  string // index, create, update or delete
	id    string
	lines []byte
}

var errLines = errors.New("it must be a document, or one action line and its document, as JSON")

// parseAction reads the lines of one action.
func parseAction(payload []byte) (*action, error) {
	values, err := jsonValues(payload, 3)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLines, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errLines)
	}
	id, name, ok := parseHead(values[0])
	if !ok {
		return nil, fmt.Errorf("%w: the first line is not an action with an _index", errLines)
	}
	a := &action{name: name, id: id}
	want := 2
	switch {
	case !known(a.name):
		return nil, fmt.Errorf("%w: %q is not an action", errLines, a.name)
	case a.name == "delete":
		want = 1
	}
	if len(values) != want {
		return nil, fmt.Errorf("%w: %d JSON values where '%s' has %d", errLines, len(values), a.name, want)
	}
	for i, v := range values {
		if len(v) == 0 || v[0] != '{' {
			return nil, fmt.Errorf("%w: line %d is not a JSON object", errLines, i+1)
		}
		a.lines = append(append(a.lines, v...), '\n')
	}
	return a, nil
}

// parseHead reads an action line.
func parseHead(line []byte) (id, name string, ok bool) {
	var head map[string]struct {
		Index string `json:"_index"`
		ID    string `json:"_id"`
	}
	if err := json.Unmarshal(line, &head); err != nil || len(head) != 1 {
		return "", "", false
	}
	for n, target := range head {
		id, name, ok = target.ID, n, target.Index != ""
	}
	return id, name, ok
}

func known(action string) bool {
	return action == "index" || action == "create" || action == "update" || action == "delete"
}

// jsonValues splits a text into at most so many JSON values, without white space.
func jsonValues(text []byte, most int) ([][]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	var out [][]byte
	for len(out) < most {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := json.Compact(&b, v); err != nil {
			return nil, err
		}
		out = append(out, b.Bytes())
	}
	return out, nil
}

// mendAction returns the action to replay for one that was refused: the same, or
// what someone made of it, which must be about the same document.
func mendAction(refused, mended []byte) (*action, error) {
	was, err := parseAction(refused)
	if err != nil {
		return nil, fmt.Errorf("what was refused cannot be read: %w", err)
	}
	if mended == nil {
		was.lines = refused // byte for byte
		return was, nil
	}
	if values, err := jsonValues(mended, 2); err == nil && len(values) == 1 && was.name != "delete" {
		if _, name, ok := parseHead(values[0]); !ok || !known(name) { // a document alone
			line, _, _ := bytes.Cut(refused, []byte{'\n'})
			mended = append(append(bytes.Clone(line), '\n'), values[0]...)
		}
	}
	a, err := parseAction(mended)
	if err != nil {
		return nil, err
	}
	if a.id != was.id {
		return nil, fmt.Errorf("the action is about document %q, and what was refused about %q", a.id, was.id)
	}
	return a, nil
}
