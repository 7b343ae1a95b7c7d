package jsondoc_test

import (
	"encoding/json"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

func TestParseKeepsOrderAndNumbers(t *testing.T) {
	const text = `{"z":1.50,"a":[true,null,"\u00fc\n"],"m":{"y":-0,"x":1e9}}`
	v, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(v.Encode()); got != `{"z":1.50,"a":[true,null,"ü\n"],"m":{"y":-0,"x":1e9}}` {
		t.Error(got)
	}
}

func TestFloats(t *testing.T) {
	for f, want := range map[float64]string{0: "0.0", 1: "1.0", 0.001: "0.001", 0.0001: "1.0E-4", 1e7: "1.0E7", 9999999: "9999999.0", -2.5: "-2.5", 1.5e300: "1.5E300"} {
		if got := jsondoc.FormatFloat(f, 64); got != want {
			t.Errorf("%v: want %s, got %s", f, want, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range [...]string{`{"a":[1,2.5e-3,"x\u0041\ud83d\ude00",null,true]}`, `[`, `"\ud800"`, `01`, `{"a":1,"a":2}`, "\"\t\"", `nul`, `-`, `1.`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := jsondoc.Parse([]byte(s))
		_, skipErr := jsondoc.Skip([]byte(s), 0, 0)
		if err != nil {
			return
		}
		if skipErr != nil {
			t.Fatalf("parsed but not skipped: %v", skipErr)
		}
		out := v.Encode()
		if !json.Valid([]byte(s)) || !json.Valid(out) {
			t.Fatalf("%q and %q are not JSON for others", s, out)
		}
		again, err := jsondoc.Parse(out)
		if err != nil || !jsondoc.Equal(v, again) {
			t.Fatalf("%q does not come back: %v", out, err)
		}
	})
}
