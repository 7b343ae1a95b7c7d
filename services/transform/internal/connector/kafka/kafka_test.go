package kafka

import (
	"maps"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func lookup(more map[string]string) (*connector.Options, error) {
	values := map[string]string{"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "a:1, b:2", "format": "json"}
	maps.Copy(values, more)
	maps.DeleteFunc(values, func(_, v string) bool { return v == "" })
	t := &plan.Table{Name: "t", Options: values, Physical: []types.Field{{Name: "k_id", Type: types.StringType()}, {Name: "v", Type: types.StringType()}}}
	_, o, err := Factories().Lookup(t)
	return o, err
}

func TestOptionsThatDoNotFit(t *testing.T) {
	for name, tt := range map[string]struct {
		options map[string]string
		want    string
	}{
		"topic and pattern":      {map[string]string{"topic-pattern": "x.*"}, "exactly one"},
		"no topic":               {map[string]string{"topic": ""}, "exactly one"},
		"bad pattern":            {map[string]string{"topic": "", "topic-pattern": "("}, "topic-pattern"},
		"two formats":            {map[string]string{"value.format": "json"}, "together"},
		"no format":              {map[string]string{"format": ""}, "is required"},
		"timestamp without time": {map[string]string{"scan.startup.mode": "timestamp"}, "timestamp-millis"},
		"offsets that are none":  {map[string]string{"scan.startup.mode": "specific-offsets", "scan.startup.specific-offsets": "0:42"}, "partition:0"},
		"specific without any":   {map[string]string{"scan.startup.mode": "specific-offsets"}, "is required"},
		"exactly once":           {map[string]string{"sink.delivery-guarantee": "exactly-once"}, "transactional-id-prefix"},
		"key without fields":     {map[string]string{"key.format": "json"}, "key.fields"},
		"key of no column":       {map[string]string{"key.format": "json", "key.fields": "x"}, `"x"`},
		"prefix without EXCEPT":  {map[string]string{"key.format": "json", "key.fields": "k_id", "key.fields-prefix": "k_"}, "EXCEPT_KEY"},
		"users as rows":          {map[string]string{"topic": "weirflow.users"}, "users, tokens"},
		"tokens among others":    {map[string]string{"topic": "a; weirflow.tokens"}, "users, tokens"},
		"audit log for letters":  {map[string]string{"error-handling.mode": "dlq", "error-handling.dlq.table": "weirflow.audit"}, "users, tokens"},
		"nothing to handle":      {map[string]string{"format": "csv", "csv.ignore-parse-errors": "true", "error-handling.mode": "dlq"}, "nothing to handle"},
		"round-robin bounded":    {map[string]string{"scan.bounded.mode": "timestamp"}, "timestamp-millis"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := lookup(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %s", err, tt.want)
			}
		})
	}
}

func TestCluster(t *testing.T) {
	o, err := lookup(map[string]string{"properties.group.id": "g", "properties.security.protocol": "SASL_SSL", "properties.max.poll.records": "5",
		"properties.sasl.jaas.config":        `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\"w";`,
		"properties.ssl.truststore.location": "/ca.pem", "properties.fetch.min.bytes": "7"})
	if err != nil {
		t.Fatal(err)
	}
	cfg, group := cluster(o)
	want := map[string]string{"security.protocol": "sasl_ssl", "sasl.username": "u", "sasl.password": `p"w`, "ssl.ca.location": "/ca.pem", "fetch.min.bytes": "7"}
	if group != "g" || strings.Join(cfg.Brokers, "|") != "a:1|b:2" || !maps.Equal(cfg.Properties, want) {
		t.Errorf("group %q, brokers %v, properties %v", group, cfg.Brokers, cfg.Properties)
	}
}

func TestParseOffsets(t *testing.T) {
	got, err := parseOffsets("partition:0,offset:42; partition:3 , offset:7;")
	if err != nil || !maps.Equal(got, map[int32]int64{0: 42, 3: 7}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"partition:0", "0,x", "partition:99999999999,offset:1"} {
		if _, err := parseOffsets(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
