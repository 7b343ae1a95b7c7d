// Package kafka is the connector that reads and writes topics.
package kafka

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// EventID is the header that names the event a record carries.
const EventID = "event-id"

// The startup and bounded modes.
const (
	earliest  = "earliest-offset"
	latest    = "latest-offset"
	group     = "group-offsets"
	specific  = "specific-offsets"
	timestamp = "timestamp"
	unbounded = "unbounded"
)

// The names of the connectors.
const (
	plainName  = "kafka"
	upsertName = "upsert-kafka"
)

// Factories returns the connectors that read and write topics, by name.
func Factories() connector.Registry {
	shared := &channels{}
	write := func(env connector.Env, p *plan.Sink, o *connector.Options) (connector.Sink, error) {
		return newSink(env, p, o, shared)
	}
	bounded := func(o *connector.Options) bool { return o.Enum("scan.bounded.mode") != unbounded }
	return connector.Registry{
		plainName:  {Options: options, Check: check, Source: newSource, Sink: write, CheckScan: checkScan, CheckSink: checkSink, Bounded: bounded},
		upsertName: {Options: upsertOptions, Check: checkUpsert, Source: newSource, Sink: write, CheckScan: checkScan, CheckSink: checkSink, Bounded: bounded},
	}
}

func boundedOptions() []connector.Option {
	return []connector.Option{
		{Key: "scan.bounded.mode", Kind: connector.Enum, Default: unbounded, Values: []string{unbounded, latest, group, specific, timestamp}},
		{Key: "scan.bounded.specific-offsets"}, {Key: "scan.bounded.timestamp-millis", Kind: connector.Int},
		{Key: "scan.topic-partition-discovery.interval", Kind: connector.Duration, Default: "5 min"}, {Key: "scan.parallelism", Kind: connector.Int},
	}
}

func guaranteeOptions() []connector.Option {
	return []connector.Option{
		{Key: "sink.parallelism", Kind: connector.Int},
		{Key: "sink.delivery-guarantee", Kind: connector.Enum, Default: atLeastOnce, Values: []string{atLeastOnce, noGuarantee, exactlyOnce}},
		{Key: "sink.transactional-id-prefix"},
		// How transactions are named is our own affair; both ways keep the promise.
		{Key: "sink.transaction-naming-strategy", Kind: connector.Enum, Default: "INCREMENTING", Values: []string{"DEFAULT", "INCREMENTING", "POOLING"}},
	}
}

func options(v map[string]string) []connector.Option {
	all := []connector.Option{
		{Key: "topic"}, {Key: "topic-pattern"}, {Key: "properties.", Prefix: true}, {Key: "properties.bootstrap.servers", Required: true},
		{Key: "format"}, {Key: "value.format"}, {Key: "key.format"}, {Key: "key.fields"}, {Key: "key.fields-prefix"},
		{Key: "value.fields-include", Kind: connector.Enum, Default: "ALL", Values: []string{"ALL", "EXCEPT_KEY"}},
		{Key: "scan.startup.mode", Kind: connector.Enum, Default: group, Values: []string{earliest, latest, group, specific, timestamp}},
		{Key: "scan.startup.specific-offsets"}, {Key: "scan.startup.timestamp-millis", Kind: connector.Int},
		{Key: "sink.partitioner", Default: "default"},
		{Key: "sink.semantic", Kind: connector.Enum, Values: []string{atLeastOnce, noGuarantee, exactlyOnce}},
	}
	all = append(all, boundedOptions()...)
	all = append(all, guaranteeOptions()...)
	all = append(all, errorOptions()...)
	if name := v["value.format"]; name != "" {
		all = append(all, format.Options(name, "value.")...)
	} else {
		all = append(all, format.Options(v["format"], "")...)
	}
	return append(all, format.Options(v["key.format"], "key.")...)
}

func check(t *plan.Table, o *connector.Options) error {
	switch {
	case o.Has("format") && o.Has("value.format"):
		return o.Wrong("value.format", "cannot be given together with 'format'")
	case o.Enum("scan.startup.mode") == timestamp && !o.Has("scan.startup.timestamp-millis"):
		return o.Wrong("scan.startup.timestamp-millis", "is required with 'scan.startup.mode' = 'timestamp'")
	case o.Enum("scan.startup.mode") == specific && !o.Has("scan.startup.specific-offsets"):
		return o.Wrong("scan.startup.specific-offsets", "is required with 'scan.startup.mode' = 'specific-offsets'")
	}
	if o.Has("key.format") {
		if err := format.Check(o, "key.format"); err != nil {
			return err
		}
		if !o.Has("key.fields") {
			return o.Wrong("key.fields", "is required with 'key.format'")
		}
		if _, err := layoutOf(t, o); err != nil {
			return err
		}
	} else if o.Has("key.fields") {
		return o.Wrong("key.format", "is required with 'key.fields'")
	}
	return checkCommon(o)
}

// checkCommon looks at what tables of both connectors have.
func checkCommon(o *connector.Options) error {
	switch mode := o.Enum("scan.bounded.mode"); {
	case o.Has("topic") == o.Has("topic-pattern"):
		return o.Wrong("topic", "exactly one of 'topic' and 'topic-pattern' must be given")
	case guarantee(o) == exactlyOnce && o.Text("sink.transactional-id-prefix") == "":
		return o.Wrong("sink.transactional-id-prefix", "is required with 'sink.delivery-guarantee' = 'exactly-once'; it must be another one for each job that writes to the cluster")
	case mode == timestamp && !o.Has("scan.bounded.timestamp-millis"):
		return o.Wrong("scan.bounded.timestamp-millis", "is required with 'scan.bounded.mode' = 'timestamp'")
	case mode == specific && !o.Has("scan.bounded.specific-offsets"):
		return o.Wrong("scan.bounded.specific-offsets", "is required with 'scan.bounded.mode' = 'specific-offsets'")
	case mode == group && o.Text("properties.group.id") == "":
		return o.Wrong("properties.group.id", "is required with 'scan.bounded.mode' = 'group-offsets'")
	}
	if o.Has("topic-pattern") {
		if _, err := regexp.Compile(o.Text("topic-pattern")); err != nil {
			return o.Wrong("topic-pattern", err.Error())
		}
	}
	for _, k := range []string{"topic", "error-handling.dlq.table"} {
		if o.Has(k) && slices.ContainsFunc(o.List(k), kafka.Secluded) {
			return o.Wrong(k, "names a topic that holds users, tokens or the audit log; no statement may read or write it")
		}
	}
	for _, k := range []string{"scan.startup.specific-offsets", "scan.bounded.specific-offsets"} {
		if _, err := parseOffsets(o.Text(k)); err != nil {
			return o.Wrong(k, "must be like 'partition:0,offset:42;partition:1,offset:300'")
		}
	}
	for _, k := range []string{"sink.parallelism", "scan.parallelism"} {
		if o.Has(k) && o.Int(k) < 1 {
			return o.Wrong(k, "must be at least 1")
		}
	}
	if err := format.Check(o, valueFormat(o)); err != nil {
		return err
	}
	return checkErrorHandling(o)
}

// valueFormat returns the option that names the format of values.
func valueFormat(o *connector.Options) string {
	if o.Has("value.format") {
		return "value.format"
	}
	return "format"
}

// parseOffsets reads partition:0,offset:42;partition:1,offset:300.
func parseOffsets(s string) (map[int32]int64, error) {
	offsets := make(map[int32]int64)
	for part := range strings.SplitSeq(s, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		p, o, _ := strings.Cut(part, ",")
		partition, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(p), "partition:"), 10, 32)
		if err != nil {
			return nil, err
		}
		offset, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(o), "offset:"), 10, 64)
		if err != nil {
			return nil, err
		}
		offsets[int32(partition)] = offset
	}
	return offsets, nil
}

// cluster returns how a table's cluster is reached: properties.* are librdkafka's,
// and those of Java's client that it does not know are translated or left out.
func cluster(o *connector.Options) (cfg kafka.Config, groupID string) {
	p := o.Under("properties.")
	for b := range strings.SplitSeq(p["bootstrap.servers"], ",") {
		if b = strings.TrimSpace(b); b != "" {
			cfg.Brokers = append(cfg.Brokers, b)
		}
	}
	groupID = p["group.id"]
	cfg.Properties = map[string]string{}
	for k, v := range p {
		switch k {
		case "bootstrap.servers", "group.id", "auto.offset.reset", "enable.auto.commit", "auto.commit.interval.ms", "transactional.id":
			// Read elsewhere, or ours to decide.
		case "key.deserializer", "value.deserializer", "key.serializer", "value.serializer", "max.poll.records", "partition.assignment.strategy",
			"flink.partition-discovery.interval-millis", "partition.discovery.interval.ms", "zookeeper.connect", "buffer.memory", "max.block.ms",
			"interceptor.classes", "partitioner.class", "default.api.timeout.ms", "exclude.internal.topics", "metric.reporters",
			"client.id.prefix", "register.consumer.metrics", "commit.offsets.on.checkpoint", "ssl.protocol", "ssl.enabled.protocols",
			"ssl.keymanager.algorithm", "ssl.trustmanager.algorithm", "sasl.client.callback.handler.class":
			// Java's own; there is nothing here that they could set.
		case "max.request.size":
			cfg.Properties["message.max.bytes"] = v
		case "fetch.max.wait.ms":
			cfg.Properties["fetch.wait.max.ms"] = v
		case "receive.buffer.bytes":
			cfg.Properties["socket.receive.buffer.bytes"] = v
		case "send.buffer.bytes":
			cfg.Properties["socket.send.buffer.bytes"] = v
		case "ssl.endpoint.identification.algorithm":
			if v == "" {
				v = "none"
			}
			cfg.Properties[k] = v
		case "security.protocol":
			cfg.Properties[k] = strings.ToLower(v)
		case "sasl.jaas.config":
			jaas(v, cfg.Properties)
		case "ssl.truststore.location":
			cfg.Properties["ssl.ca.location"] = v
		case "sasl.login.callback.handler.class", "sasl.kerberos.service.name.class", "ssl.truststore.type", "ssl.truststore.password":
		default:
			cfg.Properties[k] = v
		}
	}
	return cfg, groupID
}

// jaas takes user and password out of Java's login configuration.
func jaas(s string, p map[string]string) {
	re := regexp.MustCompile(`(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"`)
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		p["sasl."+m[1]] = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[2])
	}
}
