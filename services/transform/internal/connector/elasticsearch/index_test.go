package elasticsearch

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestIndexNames(t *testing.T) {
	fields := []types.Field{{Name: "level", Type: types.StringType()}, {Name: "ts", Type: types.TimestampType(3)}, {Name: "day", Type: types.StringType()}, {Name: "none", Type: types.StringType()}}
	cols := make([]*column.Vector, len(fields))
	for i, f := range fields {
		cols[i] = column.New(f.Type)
	}
	cols[0].Append("warn")
	cols[1].Append(types.TimestampValue{Millis: 1630318972888})
	cols[2].Append("2024-02-29 10:00:00")
	cols[3].Append(nil)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{"logs": "logs", "logs-{level}": "logs-warn", "l-{ts|yyyy.MM.dd}-x": "l-2021.08.30-x",
		"{day|yyyy-MM}": "2024-02", "a-{now()|yyyy.MM.dd}": "a-2026.11.23", "{none}": "error", "{ts}": "2021-08-30 10:22:52.888"} {
		t.Run(name, func(t *testing.T) {
			parts, err := parseIndex(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := bindIndex(parts, fields); err != nil {
				t.Fatal(err)
			}
			got, err := appendIndex(nil, parts, cols, 0, now)
			if err != nil {
				got = []byte("error")
			}
			if string(got) != want {
				t.Errorf("index %s, want %s", got, want)
			}
		})
	}
	for _, name := range []string{"", "a{", "a{}", "{now()}", "{ts|bbb}"} {
		if _, err := parseIndex(name); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	parts, err := parseIndex("{nosuch}")
	if err != nil || bindIndex(parts, fields) == nil {
		t.Errorf("a column that the table does not have is taken (%v)", err)
	}
}

func TestIndexBatchIsWhatTheProtoSays(t *testing.T) {
	s := &sink{env: connector.Env{Job: "j", Epoch: 3, Generation: func() int64 { return 300 }}, table: "s", open: make([]batch, 2)}
	for _, body := range []string{"{\"index\":{}}\n{}\n", "", strings.Repeat("x", 5<<20)} { // the memory is used again
		b := &s.open[1]
		s.openBatch(b)
		b.lengths, b.oldest = protowire.AppendVarint(nil, uint64(len(body))), 1630318972888
		b.buf = append(b.buf, body...)
		b.records.Close(s.closeBatch(b))
		var got indexv1.IndexBatch
		if err := proto.Unmarshal(b.records.Value(0), &got); err != nil {
			t.Fatal(err)
		}
		want := &indexv1.IndexBatch{Job: "j", Sink: "s", Body: []byte(body), Lengths: []uint32{uint32(len(body))}, OldestEventMillis: 1630318972888, Epoch: 3, Generation: 300}
		if !proto.Equal(&got, want) {
			t.Errorf("a body of %d bytes is decoded as one of %d, lengths %v", len(body), len(got.GetBody()), got.GetLengths())
		}
	}
}
