package document_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	e := &document.Event{Fields: document.Map{"a": document.Map{"b": 1}, "a.b": 2, "s": "x"}}
	if v, err := e.Get("a.b"); err != nil || v != 2 {
		t.Errorf("a key with a dot goes first: %v, %v", v, err)
	}
	if _, err := e.Get("s.t"); !errors.Is(err, document.ErrNotMap) {
		t.Errorf("below a string: %v", err)
	}
	if _, err := e.Get("n.o"); !errors.Is(err, document.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if err := e.Put("@metadata._id", "i"); err != nil || e.Meta["_id"] != "i" {
		t.Errorf("metadata: %v, %v", err, e.Meta)
	}
	if err := e.Put("x.y.z", true); err != nil || e.Delete("x.y.z") != nil || e.Delete("x.y.z") == nil {
		t.Errorf("put and delete: %v", err)
	}
	if err := e.Put("@timestamp", "soon"); err == nil {
		t.Error("a time that is none was taken")
	}
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	e := &document.Event{Timestamp: time.UnixMilli(1630318972888), Meta: document.Map{"_id": "1", "beat": "no"}, Fields: document.Map{
		"m": "a\"b", "l": []any{1, "x", nil, document.Map{}}, "n": nil, "f": 1.0, "g": 123456789.125, "z": math.Copysign(0, -1),
		"i": int64(math.MaxInt64), "u": uint64(math.MaxUint64), "b": true, "nan": math.NaN(), "t": time.UnixMilli(0), "s": []string{"q"},
	}}
	got := string(e.AppendJSON(nil, document.Header{Beat: "filebeat", Version: "8.1.3"}))
	want := `{"@timestamp":"2021-08-30T10:22:52.888Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.1.3","_id":"1"},` +
		`"b":true,"f":1,"g":1.23456789125e+08,"i":9223372036854775807,"l":[1,"x",null,{}],"m":"a\"b","n":null,"nan":null,"s":["q"],` +
		`"t":"1970-01-01T00:00:00.000Z","u":18446744073709551615,"z":-0}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCloneIsDeep(t *testing.T) {
	t.Parallel()
	e := &document.Event{Fields: document.Map{"a": document.Map{"b": []any{document.Map{"c": 1}}}}}
	c := e.Clone()
	inner, ok := c.Fields["a"].(document.Map)["b"].([]any)[0].(document.Map)
	if !ok {
		t.Fatal("lost its shape")
	}
	inner["c"] = 2
	if got := e.Fields["a"].(document.Map)["b"].([]any)[0].(document.Map)["c"]; got != 1 { //nolint:forcetypeassert // made above
		t.Errorf("the original changed to %v", got)
	}
}
