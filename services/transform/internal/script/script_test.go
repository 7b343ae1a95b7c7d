package script_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

const (
	src = "CREATE TABLE src (a STRING, n INT) WITH ('connector'='kafka','topic'='in','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='b:9092','format'='json');\n"
	es  = "CREATE TABLE es (a STRING) WITH ('connector'='elasticsearch-7','hosts'='http://h:9200','index'='i');\n"
)

func TestJobsThatCannotRunAreRefusedWithTheirPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		line       int
	}{
		"nothing to do":          {src, "writes nothing", 0},
		"rows for nobody":        {src + "SELECT a FROM src;", "INSERT INTO", 2},
		"unknown column":         {src + es + "INSERT INTO es\nSELECT b FROM src;", `"b"`, 4},
		"unknown option":         {src + "CREATE TABLE o (a STRING) WITH ('connector'='kafka','topci'='x');", `did you mean "topic"`, 2},
		"missing option":         {src + "CREATE TABLE o (a STRING) WITH ('connector'='elasticsearch-7','index'='i');", "'hosts': is required", 2},
		"bad value":              {src + "CREATE TABLE o (a STRING) WITH ('connector'='elasticsearch-7','hosts'='h','index'='i');", "http://", 2},
		"no such partitioner":    {src + "CREATE TABLE o (a STRING) WITH ('connector'='kafka','topic'='o','properties.bootstrap.servers'='b:1','format'='json','sink.partitioner'='x');\nINSERT INTO o SELECT a FROM src;", "sink.partitioner", 3},
		"two topics to write":    {src + "CREATE TABLE o (a STRING) WITH ('connector'='kafka','topic'='o;p','properties.bootstrap.servers'='b:1','format'='json');\nINSERT INTO o SELECT a FROM src;", "exactly one topic", 3},
		"index of no column":     {src + "CREATE TABLE o (a STRING) WITH ('connector'='elasticsearch-7','hosts'='http://h:9200','index'='i-{b}');\nINSERT INTO o SELECT a FROM src;", `column "b"`, 3},
		"no such metadata":       {"CREATE TABLE m (a STRING, x BIGINT METADATA FROM 'offzet') WITH ('connector'='kafka','topic'='in','properties.bootstrap.servers'='b:1','format'='json');\n" + es + "INSERT INTO es\nSELECT CAST(x AS STRING) FROM m;", "offzet", 4},
		"changes without a key":  {src + es + "INSERT INTO es\nSELECT CAST(COUNT(*) AS STRING) FROM src GROUP BY a;", "PRIMARY KEY", 3},
		"early firing":           {"SET 'table.exec.emit.early-fire.enabled' = 'true';", "CUMULATE", 1},
		"late firing":            {src + "SET 'table.exec.emit.late-fire.enabled' = 'true';", "when they end", 2},
		"lateness":               {"SET 'table.exec.emit.allow-lateness' = '1 min';", "watermark's delay", 1},
		"sink that is no source": {es + "INSERT INTO es\nSELECT a FROM es;", "only be written", 3},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := script.Compile(tt.text, nil, connectors.All(), wasm.Library{})
			e, ok := errors.AsType[*sql.Error](err)
			if !ok || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one about %s", err, tt.want)
			}
			if e.Line != tt.line || tt.line > 0 && e.Column == 0 {
				t.Errorf("the error is at line %d, column %d; want line %d: %v", e.Line, e.Column, tt.line, err)
			}
		})
	}
}

func TestCompile(t *testing.T) {
	p, err := script.Compile(src+es+"SET 'execution.checkpointing.interval' = '3 s';\nINSERT INTO es SELECT a FROM src;\nINSERT INTO es SELECT UPPER(a) FROM src;", map[string]string{"table.local-time-zone": "Asia/Shanghai"}, connectors.All(), wasm.Library{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sinks) != 2 || p.CheckpointInterval().Seconds() != 3 || p.Env(nil, nil).Zone.String() != "Asia/Shanghai" || !script.Indexed(p.Sinks[0].Table) {
		t.Errorf("program %+v", p)
	}
	if text := p.Explain(); !strings.HasPrefix(text, "== Optimized Plan ==\n") || !strings.Contains(text, "UPPER") {
		t.Errorf("plan %s", text)
	}
}

func TestReporterNeedsAnAddress(t *testing.T) {
	_, err := script.Compile("SET 'metrics.reporters' = 'promgateway';\n"+src+es+"INSERT INTO es SELECT a FROM src;", nil, connectors.All(), wasm.Library{})
	if err == nil || !strings.Contains(err.Error(), "metrics.reporter.promgateway.host") {
		t.Error(err)
	}
}

func TestParametersAreChecked(t *testing.T) {
	text := src + es + "INSERT INTO es SELECT a FROM src;"
	for key, value := range map[string]string{"table.exec.state.ttl": "soon", "table.exec.emit.early-fire.enabled": "true",
		"pipeline.max-parallelism": "many", "metrics.reporters": "jmx", "metrics.reporter.promgateway.hostt": "h", "metrics.reporter.promgateway.port": "x"} {
		_, err := script.Compile(text, map[string]string{key: value}, connectors.All(), wasm.Library{})
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s = %s: error %v", key, value, err)
		}
	}
	if _, err := script.Compile(text, map[string]string{"table.exec.emit.early-fire.enabled": "false", "table.exec.emit.allow-lateness": "0 ms",
		"pipeline.max-parallelism": "2048", "metrics.reporters": "promgateway", "metrics.reporter.promgateway.host": "10.0.0.1", "metrics.reporter.promgateway.port": "9090",
		"metrics.reporter.promgateway.needBasicAuth": "true", "metrics.reporter.promgateway.password": "p", "metrics.reporter.promgateway.interval": "10 SECONDS"}, connectors.All(), wasm.Library{}); err != nil {
		t.Error(err)
	}
}
