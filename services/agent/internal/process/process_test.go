package process_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/process"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

func compile(t testing.TB, text string) (process.Chain, error) {
	t.Helper()
	n, _, err := settings.Parse("f.yml", []byte("processors:\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return process.Compile(n.Get("processors"), process.Env{Name: "n"})
}

// TestStatic says which processors leave lines on the fast path.
func TestStatic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"- add_fields: {fields: {a: 1}}":                            true,
		"- add_host_metadata: ~\n- add_tags: {tags: [a]}":           true,
		"- drop_fields: {fields: [agent.ephemeral_id, ecs]}":        true,
		"- drop_fields: {fields: [log.offset]}":                     false,
		"- drop_fields: {fields: ['/^host/']}":                      false,
		"- add_tags: {tags: [a], when.contains.message: x}":         false,
		"- if.contains.message: x\n  then: {add_tags: {tags: [a]}}": false,
		"- add_id: ~": false,
	} {
		c, err := compile(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if c.Static() != want {
			t.Errorf("%s: static %v", text, c.Static())
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"- drop_evnt: ~":                                     `did you mean "drop_event"?`,
		"- script: {lang: javascript}":                       "not supported",
		"- add_tags: {targett: [a]}":                         `did you mean "target"?`,
		"- add_tags: ~":                                      "needs tags",
		"- drop_event.when.equal.a: 1":                       `did you mean "equals"?`,
		"- drop_event.when.range.a.over: 1":                  "unexpected range operator",
		"- dissect: {tokenizer: 'x'}":                        "no %{key}",
		"- timestamp: {field: a, layouts: [x], timezone: Q}": "timezone",
		"- rename: {fields: [{form: a}]}":                    `did you mean "from"?`,
		"- {add_tags: {tags: [a]}, drop_event: ~}":           "one processor",
		"- if.has_fields: [a]":                               "needs a then",
	} {
		_, err := compile(t, text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yml:2") {
			t.Errorf("%s: got %v, want %s with its place", text, err, want)
		}
	}
}

func FuzzDissect(f *testing.F) {
	f.Add("%{a}-%{+b/2}%{?c->}|%{&c|long}", "x-y z|")
	f.Fuzz(func(t *testing.T, tokenizer, text string) {
		n := &settings.Node{Kind: settings.Map}
		if err := settings.Override(n, "processors=[{dissect: {}}]"); err != nil {
			t.Skip()
		}
		d := n.Get("processors").Items[0].Get("dissect")
		d.Members = map[string]*settings.Node{"tokenizer": {Kind: settings.Scalar, Value: tokenizer}}
		d.Keys = []string{"tokenizer"}
		c, err := process.Compile(n.Get("processors"), process.Env{})
		if err != nil {
			return
		}
		c.Run(&document.Event{Timestamp: time.Unix(0, 0), Fields: document.Map{"message": text}})
	})
}
