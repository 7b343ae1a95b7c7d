package deadletter

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestMendAction(t *testing.T) {
	const refused = `{"index":{"_index":"i","_id":"7"}}` + "\n" + `{"a":"x"}` + "\n"
	for _, c := range []struct {
		name, refused, mended string
		want, err             string
	}{
		{"as it was, byte for byte", `{"index": {"_index":"i","_id":"7"}}` + "\n" + `{"a": 1.50}` + "\n", "", `{"index": {"_index":"i","_id":"7"}}` + "\n" + `{"a": 1.50}` + "\n", ""},
		{"a document alone", refused, "{\n \"a\": 1\n}", `{"index":{"_index":"i","_id":"7"}}` + "\n" + `{"a":1}` + "\n", ""},
		{"action and document", refused, `{"index":{"_index":"j","_id":"7"}}` + "\n" + `{"a":1}`, `{"index":{"_index":"j","_id":"7"}}` + "\n" + `{"a":1}` + "\n", ""},
		{"a deletion instead", refused, `{"delete":{"_index":"i","_id":"7"}}`, `{"delete":{"_index":"i","_id":"7"}}` + "\n", ""},
		{"an action without its document", refused, `{"index":{"_index":"i","_id":"7"}}`, "", "1 JSON values"},
		{"another document", refused, `{"index":{"_index":"i","_id":"8"}}` + "\n{}", "", `"8"`},
		{"two actions", refused, refused + refused, "", "3 JSON values"},
		{"no document", refused, `{"index":{"_index":"i","_id":"7"}}` + "\n" + `3` + "\n", "", "not a JSON object"},
		{"unknown action", refused, `{"purge":{"_index":"i","_id":"7"}}` + "\n{}", "", "not an action"},
		{"not JSON", refused, `{"a":`, "", "must be a document"},
		{"empty", refused, ` `, "", "empty"},
		{"no index", refused, `{"index":{"_id":"7"}}` + "\n{}", "", "with an _index"},
		{"a deletion as it was", `{"delete":{"_index":"i","_id":"7"}}` + "\n", "", `{"delete":{"_index":"i","_id":"7"}}` + "\n", ""},
		{"a letter of something else", `hello`, `{}`, "", "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mended []byte
			if c.mended != "" {
				mended = []byte(c.mended)
			}
			a, err := mendAction([]byte(c.refused), mended)
			if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if err == nil && c.want != "" && string(a.lines) != c.want {
				t.Errorf("lines %q, want %q", a.lines, c.want)
			}
		})
	}
}

func FuzzMendAction(f *testing.F) {
	refused := []byte(`{"index":{"_index":"i","_id":"7"}}` + "\n" + `{"a":"x"}` + "\n")
	f.Add(refused)
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, mended []byte) {
		if mended == nil {
			return
		}
		a, err := mendAction(refused, mended)
		if err != nil {
			return
		}
		lines := bytes.Split(bytes.TrimSuffix(a.lines, []byte{'\n'}), []byte{'\n'})
		if len(lines) > 2 || a.id != "7" {
			t.Errorf("%q became %q", mended, a.lines)
		}
		for _, l := range lines {
			if !json.Valid(l) {
				t.Errorf("line %q is not JSON", l)
			}
		}
	})
}
