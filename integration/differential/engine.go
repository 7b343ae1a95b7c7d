//go:build integration

package differential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// engine runs scripts on the engine under test, in this process.
type engine struct{ zone string }

func (e *engine) run(ctx context.Context, script string) (*result, error) {
	var out, errs bytes.Buffer
	code := sqlcli.Run(ctx, sqlcli.Options{
		Script: script, Output: "ndjson", Stdout: &out, Stderr: &errs, Logger: slog.New(slog.DiscardHandler),
		Settings: map[string]string{"table.local-time-zone": e.zone},
	})
	if code != 0 {
		return nil, errors.New(strings.TrimSpace(errs.String()))
	}
	r := &result{}
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var o struct {
			Columns []column
			Op      string
			Row     []any
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&o); err != nil {
			return nil, fmt.Errorf("read line %q: %w", line, err)
		}
		if o.Op == "" {
			r.columns = o.Columns
			continue
		}
		r.changes = append(r.changes, change{o.Op, o.Row})
	}
	return r, nil
}
