package bulk_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		n            int
		want         []bulk.Item
		err          string
	}{
		{"all done", `{"errors":false,"items":[{"index":{"status":201}}]}`, 1, nil, ""},
		{"all done, errors last", `{"took":3,"items":[{"index":{"status":201}}],"errors":false}`, 1, nil, ""},
		{"one refused", `{"errors":true,"items":[{"index":{"status":201}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed","caused_by":{"type":"x","reason":"why"}}}}]}`, 2,
			[]bulk.Item{{Status: 201}, {Status: 400, Type: "mapper_parsing_exception", Reason: "failed: why"}}, ""},
		{"delete of a missing document", `{"errors":true,"items":[{"delete":{"status":404}},{"update":{"status":404,"error":{"type":"document_missing_exception","reason":"r"}}}]}`, 2,
			[]bulk.Item{{Status: 404}, {Status: 404, Type: "document_missing_exception", Reason: "r"}}, ""},
		{"the word in a document's reason", `{"errors":true,"items":[{"index":{"status":400,"error":{"type":"t","reason":"bad \"errors\":false"}}}]}`, 1,
			[]bulk.Item{{Status: 400, Type: "t", Reason: `bad "errors":false`}}, ""},
		{"too few items", `{"errors":true,"items":[]}`, 1, nil, "0 items for 1 actions"},
		{"not JSON", `<html>`, 1, nil, "read the answer"},
		{"no errors field", `{"items":[]}`, 0, nil, "no errors field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := bulk.Parse([]byte(c.answer), c.n)
			if (err != nil) != (c.err != "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("err = %v, want %q", err, c.err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("item %d = %+v, want %+v", i, got[i], c.want[i])
				}
			}
		})
	}
}

func TestTarget(t *testing.T) {
	a := bulk.Action{Lines: []byte(`{"index":{"_index":"i","_id":"1"}}` + "\n{\"a\":1}\n")}
	d := bulk.Action{Lines: []byte(`{"delete":{"_index":"i","_id":"1"}}` + "\n")}
	if string(a.Target()) != string(d.Target()) {
		t.Errorf("targets differ: %s, %s", a.Target(), d.Target())
	}
	if !a.HasID() || (bulk.Action{Lines: []byte(`{"index":{"_index":"i"}}` + "\n{\"_id\":1}\n")}).HasID() {
		t.Error("HasID looks at the wrong line")
	}
}

func FuzzDecodeBatch(f *testing.F) {
	good, err := proto.Marshal(&indexv1.IndexBatch{Job: "j", Sink: "s", Body: []byte("ab"), Lengths: []uint32{1, 1}, OldestEventMillis: 7, Epoch: 3, Generation: 300})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := bulk.DecodeBatch(record)
		var want indexv1.IndexBatch
		if proto.Unmarshal(record, &want) != nil || err != nil {
			return
		}
		if !utf8.ValidString(got.Job) || got.Job != want.GetJob() || got.Sink != want.GetSink() || !bytes.Equal(got.Body, want.GetBody()) ||
			got.Run != (bulk.Run{Epoch: want.GetEpoch(), Generation: want.GetGeneration()}) {
			t.Errorf("decoded %+v, protobuf has %v", got, &want)
		}
	})
}

func TestDecodeBatch(t *testing.T) {
	record, err := proto.Marshal(&indexv1.IndexBatch{Job: "j", Sink: "s", Body: []byte("abc"), Lengths: []uint32{1, 2}, OldestEventMillis: 7, Epoch: 3, Generation: 300})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bulk.DecodeBatch(record)
	if err != nil || b.Job != "j" || b.Sink != "s" || string(b.Body) != "abc" || !slices.Equal(b.Lengths, []uint32{1, 2}) || b.Run != (bulk.Run{Epoch: 3, Generation: 300}) {
		t.Errorf("decoded %+v, %v", b, err)
	}
	for i := range record {
		if b, err := bulk.DecodeBatch(record[:i]); err == nil && string(b.Body) == "abc" && len(b.Lengths) == 2 && i < len(record)-len("\x28\x07\x38\x03\x40\xac\x02") {
			t.Errorf("cut at %d it is still whole: %+v", i, b)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"errors":true,"items":[{"index":{"status":201}}]}`), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		items, err := bulk.Parse(b, n)
		if err == nil && items != nil && len(items) != n {
			t.Errorf("%d items for %d actions", len(items), n)
		}
	})
}
