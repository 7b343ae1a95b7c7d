package scan_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/scan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	toks, err := scan.All("\ufeffSELECT -- 世界\n  `世`, /* x\ny */ a<>1.5e3 /*+ H('k') */")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		kind         token.Kind
		text         string
		line, column int
	}{
		{token.Word, "SELECT", 1, 1}, {token.Quoted, "世", 2, 3}, {token.Op, ",", 2, 6}, {token.Word, "a", 3, 6}, {token.Op, "<>", 3, 7}, {token.Approx, "1.5e3", 3, 9},
		{token.Hint, "/*+", 3, 15}, {token.Word, "H", 3, 19}, {token.Op, "(", 3, 20}, {token.String, "k", 3, 21}, {token.Op, ")", 3, 24}, {token.HintEnd, "*/", 3, 26},
		{token.EOF, "", 3, 28},
	}
	if len(toks) != len(want) {
		t.Fatalf("%d tokens, want %d", len(toks), len(want))
	}
	for i, w := range want {
		got := toks[i]
		if got.Kind != w.kind || got.Text != w.text || got.At.Line != w.line || got.At.Column != w.column {
			t.Errorf("token %d: %+v, want %+v", i, got, w)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"'a", "`a", "/* a", "/*+ a", "X'1'", "U&'\\12'", "E'\\q'", "``", "\x00", "'\xff'", "é'"} {
		if _, err := scan.All(src); err == nil {
			t.Errorf("%q: no error", src)
		}
	}
}
