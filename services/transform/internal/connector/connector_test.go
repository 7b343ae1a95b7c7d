package connector_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

func TestModernize(t *testing.T) {
	tests := map[string]struct {
		old, want map[string]string
		fails     string
	}{
		"elasticsearch": {
			old: map[string]string{"connector.type": "elasticsearch", "connector.version": "6", "connector.hosts": "http://a:9200", "connector.index": "i",
				"connector.document-type": "_doc", "update-mode": "upsert", "connector.bulk-flush.max-size": "42 mb", "format.type": "json"},
			want: map[string]string{"connector": "elasticsearch-6", "hosts": "http://a:9200", "index": "i", "document-type": "_doc",
				"sink.bulk-flush.max-size": "42 mb", "format": "json", "weirflow.legacy": "true"},
		},
		"numbered hosts": {
			old: map[string]string{"connector.type": "elasticsearch", "connector.version": "7", "connector.hosts.0.hostname": "a", "connector.hosts.0.port": "9200",
				"connector.hosts.0.protocol": "https", "connector.hosts.1.hostname": "b", "connector.hosts.1.port": "9201"},
			want: map[string]string{"connector": "elasticsearch-7", "hosts": "https://a:9200;http://b:9201", "weirflow.legacy": "true"},
		},
		"kafka": {
			old: map[string]string{"connector.type": "kafka", "connector.version": "universal", "connector.topic": "t", "connector.properties.bootstrap.servers": "b:9092",
				"connector.properties.0.key": "group.id", "connector.properties.0.value": "g"},
			want: map[string]string{"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "b:9092", "properties.group.id": "g",
				"scan.startup.mode": "group-offsets", "weirflow.legacy": "true"},
		},
		"kafka, all of it": {
			old: map[string]string{"connector.type": "kafka", "connector.version": "0.11", "connector.topic": "t", "connector.startup-mode": "specific-offsets",
				"connector.specific-offsets.0.partition": "0", "connector.specific-offsets.0.offset": "42", "connector.specific-offsets.1.partition": "1",
				"connector.specific-offsets.1.offset": "300", "connector.sink-partitioner": "round-robin", "connector.property-version": "1", "update-mode": "append",
				"format.type": "json", "format.derive-schema": "true", "format.fail-on-missing-field": "true", "format.ignore-parse-errors": "false", "format.property-version": "1"},
			want: map[string]string{"connector": "kafka", "topic": "t", "scan.startup.mode": "specific-offsets",
				"scan.startup.specific-offsets": "partition:0,offset:42;partition:1,offset:300", "sink.partitioner": "round-robin", "format": "json",
				"json.fail-on-missing-field": "true", "json.ignore-parse-errors": "false", "weirflow.legacy": "true"},
		},
		"kafka from a time": {
			old: map[string]string{"connector.type": "kafka", "connector.topic": "t", "connector.startup-mode": "timestamp", "connector.startup-timestamp-millis": "5",
				"connector.specific-offsets": "partition:0,offset:42"},
			want: map[string]string{"connector": "kafka", "topic": "t", "scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": "5",
				"scan.startup.specific-offsets": "partition:0,offset:42", "weirflow.legacy": "true"},
		},
		"elasticsearch, all of it": {
			old: map[string]string{"connector.type": "elasticsearch", "connector.version": "7", "connector.hosts": "http://a:1;http://b:2", "connector.index": "i-{d|yyyy-MM-dd}",
				"connector.document-type": "_doc", "connector.username": "u", "connector.password": "p", "connector.key-delimiter": "$", "connector.key-null-literal": "n/a",
				"connector.failure-handler": "retry-rejected", "connector.flush-on-checkpoint": "false", "connector.bulk-flush.max-actions": "5",
				"connector.bulk-flush.interval": "1000", "connector.bulk-flush.backoff.type": "constant", "connector.bulk-flush.backoff.max-retries": "3",
				"connector.bulk-flush.backoff.delay": "30000", "connector.connection-max-retry-timeout": "3", "connector.connection-path-prefix": "/v1"},
			want: map[string]string{"connector": "elasticsearch-7", "hosts": "http://a:1;http://b:2", "index": "i-{d|yyyy-MM-dd}", "document-type": "_doc", "username": "u",
				"password": "p", "document-id.key-delimiter": "$", "document-id.key-null-literal": "n/a", "failure-handler": "retry-rejected",
				"sink.flush-on-checkpoint": "false", "sink.bulk-flush.max-actions": "5", "sink.bulk-flush.interval": "1000",
				"sink.bulk-flush.backoff.strategy": "constant", "sink.bulk-flush.backoff.max-retries": "3", "sink.bulk-flush.backoff.delay": "30000",
				"connection.max-retry-timeout": "3", "connection.path-prefix": "/v1", "weirflow.legacy": "true"},
		},
		"csv file": {
			old: map[string]string{"connector.type": "filesystem", "connector.path": "/p", "format.type": "csv", "format.field-delimiter": "|", "format.ignore-parse-errors": "true"},
			want: map[string]string{"connector": "filesystem", "path": "/p", "format": "csv", "csv.field-delimiter": "|", "csv.ignore-parse-errors": "true",
				"weirflow.legacy": "true"},
		},
		"json schema":         {old: map[string]string{"connector.type": "kafka", "format.type": "json", "format.json-schema": "{}"}, fails: "the columns of the table are its schema"},
		"fields":              {old: map[string]string{"connector.type": "kafka", "format.fields.0.name": "a"}, fails: "the columns of the table are its schema"},
		"schema":              {old: map[string]string{"connector.type": "kafka", "schema.0.name": "a"}, fails: "CREATE TABLE"},
		"partitioner class":   {old: map[string]string{"connector.type": "kafka", "connector.sink-partitioner": "custom", "connector.sink-partitioner-class": "org.P"}, fails: "round-robin"},
		"own partitioner":     {old: map[string]string{"connector.type": "kafka", "connector.sink-partitioner": "custom"}, fails: "round-robin"},
		"own handler":         {old: map[string]string{"connector.type": "elasticsearch", "connector.version": "7", "connector.failure-handler": "custom"}, fails: "retry-rejected"},
		"upserts to kafka":    {old: map[string]string{"connector.type": "kafka", "update-mode": "upsert"}, fails: "upsert-kafka"},
		"retraction":          {old: map[string]string{"connector.type": "elasticsearch", "connector.version": "7", "update-mode": "retract"}, fails: "not supported"},
		"no such mode":        {old: map[string]string{"connector.type": "kafka", "update-mode": "x"}, fails: "append, upsert, retract"},
		"kafka version":       {old: map[string]string{"connector.type": "kafka", "connector.version": "3"}, fails: "universal"},
		"new spelling":        {old: map[string]string{"connector": "kafka", "topic": "t"}, want: map[string]string{"connector": "kafka", "topic": "t"}},
		"unknown option":      {old: map[string]string{"connector.type": "elasticsearch", "connector.version": "6", "connector.host": "x"}, fails: `did you mean "connector.hosts"`},
		"unknown type":        {old: map[string]string{"connector.type": "hbase"}, fails: "hbase"},
		"unknown version":     {old: map[string]string{"connector.type": "elasticsearch", "connector.version": "5"}, fails: "connector.version"},
		"size without a unit": {old: map[string]string{"connector.type": "elasticsearch", "connector.version": "6", "connector.bulk-flush.max-size": "42"}, fails: "unit"},
		"mixed spellings":     {old: map[string]string{"connector": "kafka", "connector.topic": "t"}, fails: "connector.type"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := connector.Modernize(tt.old)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want one about %s", err, tt.fails)
				}
				return
			}
			if err != nil || !maps.Equal(got, tt.want) {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	declared := []connector.Option{{Key: "topic", Required: true}, {Key: "n", Kind: connector.Int, Default: "5"}, {Key: "on", Kind: connector.Bool},
		{Key: "wait", Kind: connector.Duration, Default: "1s"}, {Key: "size", Kind: connector.Size}, {Key: "mode", Kind: connector.Enum, Values: []string{"fast", "slow"}},
		{Key: "properties.", Prefix: true}}
	o, err := connector.NewOptions("t", map[string]string{"topic": "a; b", "on": "TRUE", "size": "2 mb", "mode": "FAST", "properties.x.y": "z"}, declared)
	if err != nil {
		t.Fatal(err)
	}
	if o.Int("n") != 5 || !o.Bool("on") || o.Duration("wait") != time.Second || o.Size("size") != 2<<20 || o.Enum("mode") != "fast" ||
		o.Under("properties.")["x.y"] != "z" || len(o.List("topic")) != 2 {
		t.Errorf("values are not what the options say: %+v", o)
	}
	for name, bad := range map[string]map[string]string{
		"unknown": {"topic": "t", "topci": "x"}, "missing": {}, "number": {"topic": "t", "n": "x"}, "truth": {"topic": "t", "on": "maybe"},
		"duration": {"topic": "t", "wait": "1 fortnight"}, "size": {"topic": "t", "size": "2 apples"}, "enum": {"topic": "t", "mode": "fats"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := connector.NewOptions("t", bad, declared); err == nil {
				t.Error("taken without an error")
			}
		})
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"10 s": 10 * time.Second, "500ms": 500 * time.Millisecond, "60000": time.Minute, "2 min": 2 * time.Minute, "1 d": 24 * time.Hour, "": 0} {
		if got, err := connector.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"s", "-1 s", "1.5 s", "99999999999999999 d"} {
		if got, err := connector.ParseDuration(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

type fakeOrigin struct{}

func (fakeOrigin) AppendEventID(b []byte, i int) []byte { return append(b, "e"+string(rune('0'+i))...) }
func (fakeOrigin) Partition(int) int                    { return 0 }
func (fakeOrigin) Describe(int) string                  { return "" }
func (fakeOrigin) EventMillis(int) int64                { return 0 }

func TestRowIDs(t *testing.T) {
	names := func(ids connector.RowIDs, b *column.Batch) (all []string) {
		ids.Begin()
		for i := range b.Len {
			all = append(all, string(ids.Append(nil, b, i)))
		}
		return all
	}
	b := &column.Batch{Len: 4, Origin: fakeOrigin{}, Rows: []int32{0, 0, 2, 2}}
	if got := strings.Join(names(connector.RowIDs{}, b), " "); got != "e0/0 e0/1 e2/0 e2/1" {
		t.Errorf("names %s", got)
	}
	b.Lane = 3
	if got := names(connector.RowIDs{Lane: 1}, b)[1]; got != "e0/1.3.1" {
		t.Errorf("name %s in another lane", got)
	}
	// Ids must be the same in all versions and on all machines.
	for name, want := range map[string]string{"": "maoG0wFHmNhgAcMkRo1Jfw", "job\x00e0/0": "3w26R6B90JeZ7zcYitRG_w"} {
		if id := string(connector.AppendDerivedID(nil, []byte(name))); len(id) != connector.IDLength || id != want {
			t.Errorf("id of %q is %s, want %s", name, id, want)
		}
	}
}
