// Package demo is what the all-in-one runs for someone who has brought nothing
// of their own: it samples this machine into a log file, as `top -b` does, and
// has the statements that carry the file's lines into an index.
package demo

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"
)

// Names of the demonstration.
const (
	Job   = "demo"
	Topic = "topic-app-info"
	Index = "oceanus_test2"
)

//go:embed mission.sql
var mission string //nolint:gochecknoglobals // embedding needs a variable

// Places are the addresses that the statements name.
type Places struct {
	Brokers, SearchURL, Username, Password string
}

// SQL returns the statements of the job.
func SQL(p Places) (string, error) {
	t, err := template.New("mission.sql").Funcs(template.FuncMap{"lit": literal}).Parse(strings.ReplaceAll(mission, "'{{.", "'{{lit ."))
	if err != nil {
		return "", fmt.Errorf("parse the demonstration's statements: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, struct {
		Places
		Topic, Index string
	}{p, Topic, Index}); err != nil {
		return "", fmt.Errorf("fill in the demonstration's statements: %w", err)
	}
	return b.String(), nil
}

// literal escapes text for a SQL string literal.
func literal(s string) string { return strings.ReplaceAll(s, "'", "''") }

// Filebeat returns the configuration that tails a file into the topic.
func Filebeat(logFile, brokers string) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return fmt.Sprintf(`filebeat.inputs:
- type: log
  enabled: true
  paths:
    - %s

processors:
- add_host_metadata: ~

output.kafka:
  version: 2.0.0
  hosts: [%s]
  topic: %s
`, quote(logFile), quote(brokers), quote(Topic))
}
