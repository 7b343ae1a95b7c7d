package json_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// filebeatEvent is an event of about 900 bytes as Filebeat writes it.
func filebeatEvent(i int) []byte {
	return fmt.Appendf(nil, `{"@timestamp":"2021-08-30T10:%02d:%02d.%03dZ","@metadata":{"beat":"filebeat","type":"_doc","version":"8.1.3"},"message":"%d root      20   0       0      0      0 S   0.0  0.0   0:00.00 kworker/1:0H line of one hundred and twenty one bytes %s","log":{"offset":%d,"file":{"path":"/var/log/app/test%d.log"}},"input":{"type":"log"},"ecs":{"version":"8.0.0"},"host":{"name":"vm-10-0-0-29","architecture":"x86_64","os":{"kernel":"5.10.0-18-amd64","codename":"bullseye","type":"linux","platform":"debian","version":"11 (bullseye)","family":"debian","name":"Debian GNU/Linux"},"id":"0ea734564f9a4e2881b866b82d679dfc","containerized":false,"ip":["172.27.0.14","fe80::5054:ff:fe12:3456"],"mac":["52:54:00:12:34:56"],"hostname":"vm-10-0-0-29"},"agent":{"type":"filebeat","version":"8.1.3","ephemeral_id":"6c0922a6-17af-4474-9e88-1fc3b1c3b1a9","id":"6b23463c-0654-4f8b-83a9-84ec75721311","name":"vm-10-0-0-29"}}`,
		i/60000%60, i/1000%60, i%1000, i%100000, strings.Repeat("x", 20), i*122, i/1000%2)
}

func missionColumns() []json.Column {
	str := types.StringType()
	return []json.Column{
		{Name: "@timestamp", Type: str},
		{Name: "host", Type: types.RowOf(types.Field{Name: "id", Type: str}, types.Field{Name: "ip", Type: types.ArrayOf(str)})},
		{Name: "log", Type: types.RowOf(types.Field{Name: "offset", Type: types.Of(types.Int)},
			types.Field{Name: "file", Type: types.RowOf(types.Field{Name: "path", Type: str})})},
		{Name: "message", Type: str},
	}
}

func events(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = filebeatEvent(i)
	}
	return out
}

func BenchmarkDecodeMission(b *testing.B) {
	records := events(4096)
	d := json.NewDecoder(missionColumns(), json.Options{IgnoreParseErrors: true})
	b.SetBytes(int64(len(records[0])))
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(records) {
		d.Begin(len(records))
		for _, r := range records {
			if _, err := d.Decode(r); err != nil {
				b.Fatal(err)
			}
		}
		d.Finish()
	}
}

// BenchmarkDecodeUnlike decodes records whose forms never repeat.
func BenchmarkDecodeUnlike(b *testing.B) {
	records := events(4096)
	for i, r := range records {
		records[i] = append([]byte(fmt.Sprintf(`{"k%d":%d,`, i%97, i)), r[1:]...)
	}
	d := json.NewDecoder(missionColumns(), json.Options{IgnoreParseErrors: true})
	b.SetBytes(int64(len(records[0])))
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(records) {
		d.Begin(len(records))
		for _, r := range records {
			if _, err := d.Decode(r); err != nil {
				b.Fatal(err)
			}
		}
		d.Finish()
	}
}

func BenchmarkEncodeMission(b *testing.B) {
	records := events(4096)
	d := json.NewDecoder(missionColumns(), json.Options{})
	d.Begin(len(records))
	for _, r := range records {
		if _, err := d.Decode(r); err != nil {
			b.Fatal(err)
		}
	}
	cols, _ := d.Finish()
	var fields []types.Field
	for _, c := range missionColumns() {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	e := json.NewEncoder(fields, json.Options{})
	var buf []byte
	b.ReportAllocs()
	for n := 0; n < b.N; n++ {
		var err error
		if buf, err = e.AppendRow(buf[:0], cols, n%4096); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}
