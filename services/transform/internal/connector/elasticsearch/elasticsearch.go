// Package elasticsearch is the connector that writes documents and looks them up.
// Writing, it does not talk to the store: rows become ready-made lines of bulk
// requests, which go to the indexer through a topic. Lookups ask the store itself.
package elasticsearch

import (
	"fmt"
	"strings"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Factory makes sinks for a version of Elasticsearch: 6, 7 or 8.
func Factory(version int32) connector.Factory {
	return connector.Factory{
		Options:   func(v map[string]string) []connector.Option { return options(version, v) },
		Check:     check,
		CheckSink: checkSink,
		Lookup:    newLookup,
		Sink: func(env connector.Env, s *plan.Sink, o *connector.Options) (connector.Sink, error) {
			return newSink(env, s, o, version)
		},
	}
}

func options(version int32, v map[string]string) []connector.Option {
	name := v["format"]
	if name == "" {
		name = "json"
	}
	all := []connector.Option{
		{Key: "hosts", Kind: connector.List, Required: true}, {Key: "index", Required: true},
		{Key: "document-type", Required: version == 6}, {Key: "username"}, {Key: "password"},
		{Key: "document-id.key-delimiter", Default: "_"}, {Key: "document-id.key-null-literal", Default: "null"},
		{Key: "failure-handler", Kind: connector.Enum, Default: "fail", Values: []string{"fail", "ignore", "retry-rejected"}},
		{Key: "sink.flush-on-checkpoint", Kind: connector.Bool, Default: "true"},
		{Key: "sink.delivery-guarantee", Kind: connector.Enum, Default: "at-least-once", Values: []string{"at-least-once", "none"}},
		{Key: "sink.bulk-flush.max-actions", Kind: connector.Int, Default: "1000"},
		{Key: "sink.bulk-flush.max-size", Kind: connector.Size, Default: "2mb"},
		{Key: "sink.bulk-flush.interval", Kind: connector.Duration, Default: "1s"},
		{Key: "sink.bulk-flush.backoff.strategy", Kind: connector.Enum, Default: "DISABLED", Values: []string{"DISABLED", "CONSTANT", "EXPONENTIAL"}},
		{Key: "sink.bulk-flush.backoff.max-retries", Kind: connector.Int, Default: "8"},
		{Key: "sink.bulk-flush.backoff.delay", Kind: connector.Duration, Default: "50ms"},
		{Key: "sink.bulk-flush.max-buffered-actions", Kind: connector.Int, Default: "10000"},
		{Key: "sink.bulk-flush.max-in-flight-actions", Kind: connector.Int, Default: "50"},
		{Key: "sink.retry-on-conflicts", Kind: connector.Int, Default: "-1"}, {Key: "sink.parallelism", Kind: connector.Int},
		{Key: "ssl.certificate-fingerprint"}, {Key: "connection.path-prefix"},
		{Key: "connection.request-timeout", Kind: connector.Duration}, {Key: "connection.timeout", Kind: connector.Duration},
		{Key: "socket.timeout", Kind: connector.Duration}, {Key: "connection.max-retry-timeout", Kind: connector.Duration},
		{Key: "format", Default: "json"},
	}
	return append(append(all, connector.LookupOptions()...), format.Options(name, "")...)
}

func check(_ *plan.Table, o *connector.Options) error {
	for _, h := range o.List("hosts") {
		if !strings.HasPrefix(h, "http://") && !strings.HasPrefix(h, "https://") {
			return o.Wrong("hosts", fmt.Sprintf("%q must be like http://host:9200", h))
		}
	}
	if o.Text("format") != "json" {
		return o.Wrong("format", "documents are JSON: the format must be 'json'")
	}
	if o.Int("sink.bulk-flush.max-actions") < -1 {
		return o.Wrong("sink.bulk-flush.max-actions", "must be at least 1, or -1 for no bound")
	}
	_, err := parseIndex(o.Text("index"))
	if err != nil {
		return o.Wrong("index", err.Error())
	}
	return nil
}

func checkSink(p *plan.Sink, o *connector.Options) error {
	index, err := parseIndex(o.Text("index"))
	if err == nil {
		err = bindIndex(index, p.Table.Physical)
	}
	if err != nil {
		return o.Wrong("index", err.Error())
	}
	if p.Input.Out().Mode != plan.InsertOnly && len(p.PrimaryKey) == 0 {
		return fmt.Errorf("table %q: the query changes rows, and the table has no PRIMARY KEY by which documents could be changed", p.Table.Name)
	}
	return nil
}

// announcement is what the indexer must know of a sink.
func announcement(env connector.Env, table string, o *connector.Options, version int32) *indexv1.Sink {
	return &indexv1.Sink{
		Job: env.Job, Sink: table, Epoch: env.Epoch, Version: version, Hosts: o.List("hosts"),
		Username: o.Text("username"), Password: o.Text("password"),
		BulkFlushMaxActions:     max(0, o.Int("sink.bulk-flush.max-actions")),
		BulkFlushMaxBytes:       max(0, o.Size("sink.bulk-flush.max-size")),
		BulkFlushIntervalMillis: o.Duration("sink.bulk-flush.interval").Milliseconds(),
		BackoffStrategy: map[string]indexv1.BackoffStrategy{"DISABLED": indexv1.BackoffStrategy_BACKOFF_STRATEGY_DISABLED,
			"CONSTANT": indexv1.BackoffStrategy_BACKOFF_STRATEGY_CONSTANT, "EXPONENTIAL": indexv1.BackoffStrategy_BACKOFF_STRATEGY_EXPONENTIAL,
		}[o.Enum("sink.bulk-flush.backoff.strategy")],
		BackoffMaxRetries: o.Int("sink.bulk-flush.backoff.max-retries"), BackoffDelayMillis: o.Duration("sink.bulk-flush.backoff.delay").Milliseconds(),
		FailureHandler: map[string]indexv1.FailureHandler{"fail": indexv1.FailureHandler_FAILURE_HANDLER_FAIL,
			"ignore": indexv1.FailureHandler_FAILURE_HANDLER_IGNORE, "retry-rejected": indexv1.FailureHandler_FAILURE_HANDLER_RETRY_REJECTED,
		}[o.Enum("failure-handler")],
		FlushOnCheckpoint:               o.Bool("sink.flush-on-checkpoint"),
		ConnectionMaxRetryTimeoutMillis: o.Duration("connection.max-retry-timeout").Milliseconds(),
		ConnectionPathPrefix:            o.Text("connection.path-prefix"),
		ConnectionTimeoutMillis:         o.Duration("connection.timeout").Milliseconds(),
		RequestTimeoutMillis:            o.Duration("connection.request-timeout").Milliseconds(),
		SocketTimeoutMillis:             o.Duration("socket.timeout").Milliseconds(),
		SslCertificateFingerprint:       o.Text("ssl.certificate-fingerprint"),
		RetryOnConflicts:                int32(o.Int("sink.retry-on-conflicts")),
	}
}
