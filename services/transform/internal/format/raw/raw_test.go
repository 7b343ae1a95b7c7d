package raw_test

import (
	"bytes"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/format/raw"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestRoundTrip(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   types.Type
		little bool
		data   []byte
	}{
		"text":          {types.StringType(), false, []byte("héllo")},
		"empty text":    {types.StringType(), false, []byte{}},
		"int":           {types.Of(types.Int), false, []byte{0xff, 0xff, 0xff, 0xfe}},
		"little bigint": {types.Of(types.BigInt), true, []byte{1, 0, 0, 0, 0, 0, 0, 0x80}},
		"double":        {types.Of(types.Double), false, []byte{0x40, 9, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := raw.NewDecoder([]json.Column{{Name: "c", Type: tt.kind}}, tt.little)
			if err != nil {
				t.Fatal(err)
			}
			d.Begin(2)
			for _, data := range [][]byte{tt.data, nil} {
				if _, err := d.Decode(data); err != nil {
					t.Fatal(err)
				}
			}
			cols, rows := d.Finish()
			if len(rows) != 2 || cols[0].IsNull(0) || !cols[0].IsNull(1) {
				t.Fatalf("rows %v: a null record is a row with NULL", rows)
			}
			e, err := raw.NewEncoder([]types.Field{{Name: "c", Type: tt.kind}}, tt.little)
			if err != nil {
				t.Fatal(err)
			}
			e.Begin()
			if got, err := e.AppendRow(nil, cols, 0); err != nil || !bytes.Equal(got, tt.data) {
				t.Errorf("got % x (%v), want % x", got, err, tt.data)
			}
		})
	}
	d, err := raw.NewDecoder([]json.Column{{Name: "c", Type: types.Of(types.Int)}}, false)
	if err != nil {
		t.Fatal(err)
	}
	d.Begin(1)
	if _, err := d.Decode([]byte{1}); err == nil {
		t.Error("one byte is taken for an INT")
	}
}
