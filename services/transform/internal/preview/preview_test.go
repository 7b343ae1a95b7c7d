package preview_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/preview"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// looker keeps what a preview shows; it leaves after so many rows.
type looker struct {
	columns []string
	rows    []string
	leaves  int
}

var errLeft = errors.New("left")

func (l *looker) Columns(fields []types.Field) error {
	for _, f := range fields {
		l.columns = append(l.columns, f.Name+" "+f.Type.String())
	}
	return nil
}

func (l *looker) Row(op string, values []*string) error {
	if l.leaves > 0 && len(l.rows) == l.leaves {
		return errLeft
	}
	cells := []string{op}
	for _, v := range values {
		if v == nil {
			cells = append(cells, "NULL")
			continue
		}
		cells = append(cells, *v)
	}
	l.rows = append(l.rows, strings.Join(cells, " "))
	return nil
}

const endless = "CREATE TABLE g (n INT) WITH ('connector'='datagen','rows-per-second'='1000');\n"

func TestRun(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sql    string
		rows   int
		bytes  int64
		time   time.Duration
		reason preview.Reason
		want   int
	}{
		"all":   {"SELECT x FROM (VALUES (1), (2), (3)) AS t (x)", 10, 100, time.Minute, preview.Ended, 3},
		"rows":  {endless + "SELECT 1 FROM g", 7, 1000, time.Minute, preview.Rows, 7},
		"bytes": {endless + "SELECT 'four' FROM g", 1000, 10, time.Minute, preview.Bytes, 2},
		"time":  {endless + "SELECT n FROM g WHERE n IS NULL", 10, 100, 50 * time.Millisecond, preview.Time, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			end, err := runner().Run(t.Context(), preview.Request{SQL: tt.sql, Rows: tt.rows, Bytes: tt.bytes, Time: tt.time}, l)
			if err != nil || end.Reason != tt.reason || end.Rows != tt.want || len(l.rows) != tt.want || len(l.columns) != 1 {
				t.Errorf("end %+v, %d rows, columns %v, error %v", end, len(l.rows), l.columns, err)
			}
		})
	}
}

func TestWhoLeavesEndsIt(t *testing.T) {
	t.Parallel()
	l := &looker{leaves: 2}
	if _, err := runner().Run(t.Context(), preview.Request{SQL: endless + "SELECT n FROM g", Rows: 100, Bytes: 1000, Time: time.Minute}, l); !errors.Is(err, errLeft) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := runner().Run(ctx, preview.Request{SQL: endless + "SELECT n FROM g WHERE n IS NULL", Rows: 100, Bytes: 1000, Time: time.Minute}, l); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestMistakesHaveTheirPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		endless + "SELECT m FROM g": "line 2, column 8", "SELECT 1;\nSELECT 2": "line 2, column 1", endless: "nothing to preview",
		endless + "CREATE TABLE p (n INT) WITH ('connector'='print');\nINSERT INTO p SELECT n FROM g": "line 3, column 1: a preview writes nothing",
		"SELECT": "line 1", "SELECT CAST('x' AS INT)": "line 1, column 8", "SET 'table.exec.state.ttl' = 'soon'; SELECT 1": "table.exec.state.ttl",
	} {
		_, err := runner().Run(t.Context(), preview.Request{SQL: text, Rows: 1, Bytes: 100, Time: time.Second}, &looker{})
		if _, ok := errors.AsType[*sql.Error](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func runner() preview.Runner {
	return preview.Runner{Connectors: connectors.All(), Logger: slog.New(slog.DiscardHandler)}
}
