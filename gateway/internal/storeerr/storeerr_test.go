package storeerr_test

import (
	"testing"

	"github.com/weirflow/weirflow/gateway/internal/storeerr"
)

func TestReason(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","root_cause":[{"reason":"Failed to parse query [a:(]"},{"reason":"other"}]},"status":400}`, "Failed to parse query [a:(]"},
		{`{"error":{"reason":"no such index [x]","root_cause":[]},"status":404}`, "no such index [x]"},
		{`{"error":{"reason":"no such index [x]","root_cause":[{}]}}`, "no such index [x]"},
		{`{"error":"a text, as old stores had it","status":400}`, ""},
		{`{"message":"weirflow's own"}`, ""},
		{`<html>`, ""},
		{``, ""},
	} {
		if got := storeerr.Reason([]byte(c.answer)); got != c.want {
			t.Errorf("%s: %q, want %q", c.answer, got, c.want)
		}
	}
}
