package alert

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func table(options map[string]string, key []string, fields ...types.Field) *plan.Table {
	values := map[string]string{"connector": "alert"}
	maps.Copy(values, options)
	return &plan.Table{Name: "slow hosts", Options: values, PrimaryKey: key, Physical: fields}
}

func text(name string) types.Field { return types.Field{Name: name, Type: types.StringType()} }

func read(t *testing.T, cfg kafka.Config, n int) []*alertv1.Alert {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: Topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	var out []*alertv1.Alert
	for end := time.Now().Add(20 * time.Second); len(out) < n && time.Now().Before(end); {
		b, err := c.Poll(t.Context(), 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			a := &alertv1.Alert{}
			if err := proto.Unmarshal(b.Record(i).Value, a); err != nil {
				t.Fatal(err)
			}
			out = append(out, a)
		}
		b.Release()
	}
	return out
}

func TestRowsBecomeAlerts(t *testing.T) {
	cfg := kafkatest.Start(t)
	tab := table(map[string]string{"labels": "data.center", "resolve-after": "10 min"}, []string{"host"},
		text("host"), types.Field{Name: "p99", Type: types.Of(types.Double)}, text("summary"), text("severity"), text("data.center"),
		types.Field{Name: "starts_at", Type: types.TimestampLTZType(3)}, types.Field{Name: "tags", Type: types.ArrayOf(types.StringType())})
	f, o, err := connector.Registry{"alert": Factory()}.Lookup(tab)
	if err != nil {
		t.Fatal(err)
	}
	in := &plan.Values{}
	in.Fields, in.Mode = tab.Physical, plan.Upsert
	now := time.UnixMilli(1_700_000_000_000)
	s, err := f.Sink(connector.Env{Logger: slog.New(slog.DiscardHandler), Job: "watch", Now: func() time.Time { return now }, Handoff: connector.Handoff{Kafka: cfg}}, &plan.Sink{Table: tab, Input: in}, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &column.Batch{Len: 4, Kinds: []column.Kind{column.Insert, column.UpdateBefore, column.UpdateAfter, column.Delete}}
	for c, f := range tab.Physical {
		v := column.New(f.Type)
		for i := range 4 {
			v.Append([]any{"web1", 1.5 + float64(i), fmt.Sprintf("slow \"%d\"", i), []any{"page", "page", nil, "page"}[i], "eu", []any{nil, nil, types.TimestampValue{Millis: 1000}, nil}[i], []any{"a", "b"}}[c])
		}
		b.Cols = append(b.Cols, v)
	}
	if err := s.Write(b, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, cfg, 3)
	if len(got) != 3 {
		t.Fatalf("%d alerts, want 3: of an update the new row only", len(got))
	}
	for i, a := range got {
		if a.GetJob() != "watch" || a.GetTable() != "slow hosts" || a.GetResolveAfter().AsDuration() != 10*time.Minute || a.GetResolved() != (i == 2) {
			t.Errorf("alert %d is %v", i, a)
		}
		severity, starts := "page", now
		if i == 1 {
			severity, starts = "warning", time.UnixMilli(1000)
		}
		labels := map[string]string{"alertname": "slow hosts", "job": "watch", "host": "web1", "severity": severity, "data_center": "eu"}
		if !maps.Equal(a.GetLabels(), labels) || !a.GetStartsAt().AsTime().Equal(starts) {
			t.Errorf("alert %d has labels %v and begins at %v, want %v at %v", i, a.GetLabels(), a.GetStartsAt().AsTime(), labels, starts)
		}
	}
	if want := map[string]string{"p99": "1.5", "summary": `slow "0"`, "tags": `["a","b"]`}; !maps.Equal(got[0].GetAnnotations(), want) {
		t.Errorf("annotations %v, want %v", got[0].GetAnnotations(), want)
	}
}

func TestTablesThatAreNoAlerts(t *testing.T) {
	for name, tt := range map[string]struct {
		table *plan.Table
		mode  plan.Changelog
		want  string
	}{
		"no summary":        {table(nil, nil, text("host")), plan.InsertOnly, "summary"},
		"unknown label":     {table(map[string]string{"labels": "hosts"}, nil, text("host"), text("summary")), plan.InsertOnly, `"host"`},
		"unknown option":    {table(map[string]string{"resolve_after": "1 s"}, nil, text("summary")), plan.InsertOnly, "resolve-after"},
		"short":             {table(map[string]string{"resolve-after": "1 ms"}, nil, text("summary")), plan.InsertOnly, "at least 1 s"},
		"start as text":     {table(nil, nil, text("summary"), text("starts_at")), plan.InsertOnly, "TIMESTAMP"},
		"changes, no key":   {table(nil, nil, text("summary")), plan.Upsert, "PRIMARY KEY"},
		"a name of symbols": {table(nil, nil, text("summary"), text("…")), plan.InsertOnly, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &plan.Values{}
			in.Mode = tt.mode
			err := connector.Registry{"alert": Factory()}.CheckSink(&plan.Sink{Table: tt.table, Input: in})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %s", err, tt.want)
			}
		})
	}
	if got := labelName("9 lives"); got != "_9_lives" {
		t.Errorf("label %q", got)
	}
}
