package connector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// legacyMark is set on options that came in the old spelling, because formats
// render times in the old way then.
const legacyMark = "weirflow.legacy"

// Legacy reports whether the statement used the old spelling.
func (o *Options) Legacy() bool { return o.Has(legacyMark) }

// renames are the options of the old spelling and what they are called today.
var renames = map[string]map[string]string{
	"elasticsearch": {
		"connector.hosts": "hosts", "connector.index": "index", "connector.document-type": "document-type",
		"connector.username": "username", "connector.password": "password",
		"connector.key-delimiter": "document-id.key-delimiter", "connector.key-null-literal": "document-id.key-null-literal",
		"connector.failure-handler": "failure-handler", "connector.flush-on-checkpoint": "sink.flush-on-checkpoint",
		"connector.bulk-flush.max-actions": "sink.bulk-flush.max-actions", "connector.bulk-flush.max-size": "sink.bulk-flush.max-size",
		"connector.bulk-flush.interval": "sink.bulk-flush.interval", "connector.bulk-flush.backoff.type": "sink.bulk-flush.backoff.strategy",
		"connector.bulk-flush.backoff.max-retries": "sink.bulk-flush.backoff.max-retries", "connector.bulk-flush.backoff.delay": "sink.bulk-flush.backoff.delay",
		"connector.connection-max-retry-timeout": "connection.max-retry-timeout", "connector.connection-path-prefix": "connection.path-prefix",
	},
	"kafka": {
		"connector.topic": "topic", "connector.startup-mode": "scan.startup.mode", "connector.specific-offsets": "scan.startup.specific-offsets",
		"connector.startup-timestamp-millis": "scan.startup.timestamp-millis", "connector.sink-partitioner": "sink.partitioner",
	},
	"filesystem": {"connector.path": "path"},
}

// formatRenames are those of the formats, in every connector; %s is the format.
var formatRenames = map[string]string{
	"format.type": "format", "format.fail-on-missing-field": "json.fail-on-missing-field", "format.ignore-parse-errors": "%s.ignore-parse-errors",
	"format.field-delimiter": "csv.field-delimiter", "format.quote-character": "csv.quote-character", "format.escape-character": "csv.escape-character",
	"format.allow-comments": "csv.allow-comments", "format.null-literal": "csv.null-literal", "format.array-element-delimiter": "csv.array-element-delimiter",
	"format.disable-quote-character": "csv.disable-quote-character",
}

// refusals are old options that cannot be carried out, and what to do instead.
var refusals = map[string]string{
	"format.json-schema":               "the columns of the table are its schema: leave it out",
	"format.schema":                    "the columns of the table are its schema: leave it out",
	"format.fields.":                   "the columns of the table are its schema: leave it out",
	"schema.":                          "write columns, PRIMARY KEY and WATERMARK in the parentheses of CREATE TABLE",
	"connector.sink-partitioner-class": "partitioners written in Java do not run here: 'connector.sink-partitioner' is 'fixed' or 'round-robin'",
	"connector.failure-handler-class":  "handlers written in Java do not run here: 'connector.failure-handler' is 'fail', 'ignore' or 'retry-rejected'",
}

// ignored are old options that say nothing that is not known anyway.
var ignored = []string{"connector.property-version", "format.property-version", "format.derive-schema", "update-mode", "schema.derive-fields", "connector.version", "connector.type"}

// Modernize returns a table's options in today's spelling.
func Modernize(options map[string]string) (map[string]string, error) {
	kind, ok := options["connector.type"]
	if !ok {
		for key := range options {
			if strings.HasPrefix(key, "connector.") {
				return nil, fmt.Errorf("option '%s' is of the old spelling, which needs 'connector.type' as well", key)
			}
		}
		return options, nil
	}
	table, ok := renames[kind]
	if !ok {
		return nil, fmt.Errorf("'connector.type' = '%s' is not known: one of %s", kind, strings.Join(slices.Sorted(maps.Keys(renames)), ", "))
	}
	out := map[string]string{legacyMark: "true"}
	name, err := legacyName(kind, options["connector.version"])
	if err != nil {
		return nil, err
	}
	out["connector"] = name
	known := numbered(options, out)
	for _, key := range slices.Sorted(maps.Keys(options)) {
		value := options[key]
		switch modern := table[key]; {
		case known[key]:
		case modern != "":
			out[modern] = value
		case formatRenames[key] != "":
			out[strings.ReplaceAll(formatRenames[key], "%s", options["format.type"])] = value
		case kind == "kafka" && strings.HasPrefix(key, "connector.properties."):
			out[strings.TrimPrefix(key, "connector.")] = value
		case slices.Contains(ignored, key):
		case refusal(key) != "":
			return nil, fmt.Errorf("option '%s' is not supported: %s", key, refusal(key))
		default:
			names := slices.Concat(slices.Collect(maps.Keys(table)), slices.Collect(maps.Keys(formatRenames)), ignored)
			return nil, fmt.Errorf("option '%s' is not known%s", key, suggest.Hint(key, names))
		}
	}
	if err := updateMode(kind, options["update-mode"]); err != nil {
		return nil, err
	}
	return out, defaults(kind, options, out)
}

func refusal(key string) string {
	for k, why := range refusals {
		if k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
			return why
		}
	}
	return ""
}

func updateMode(kind, mode string) error {
	switch mode {
	case "", "append":
		return nil
	case "upsert":
		if kind == "elasticsearch" {
			return nil
		}
	case "retract":
	default:
		return fmt.Errorf("'update-mode' = '%s' is not one of append, upsert, retract", mode)
	}
	if kind == "kafka" {
		return fmt.Errorf("'update-mode' = '%s': a Kafka table of the old spelling only appends; for rows that change take 'connector' = 'upsert-kafka'", mode)
	}
	return fmt.Errorf("'update-mode' = '%s' is not supported by 'connector.type' = '%s'", mode, kind)
}

func legacyName(kind, version string) (string, error) {
	switch kind {
	case "kafka":
		if known := []string{"", "0.8", "0.9", "0.10", "0.11", "universal"}; !slices.Contains(known, version) {
			return "", fmt.Errorf("'connector.version' = '%s' is not one of %s", version, strings.Join(known[1:], ", "))
		}
		return kind, nil
	case "filesystem":
		return kind, nil
	}
	switch version {
	case "6", "7", "8":
		return "elasticsearch-" + version, nil
	default:
		return "", fmt.Errorf("'connector.version' = '%s' is not one of 6, 7", version)
	}
}

// defaults fills in what the old spelling leaves open, and refuses what was never allowed.
func defaults(kind string, options, out map[string]string) error {
	if kind == "kafka" && out["scan.startup.mode"] == "" {
		out["scan.startup.mode"] = "group-offsets"
	}
	if out["sink.partitioner"] == "custom" {
		return errors.New("'connector.sink-partitioner' = 'custom' is not supported: partitioners written in Java do not run here, it is 'fixed' or 'round-robin'")
	}
	if out["failure-handler"] == "custom" {
		return errors.New("'connector.failure-handler' = 'custom' is not supported: handlers written in Java do not run here, it is 'fail', 'ignore' or 'retry-rejected'")
	}
	if v := out["sink.bulk-flush.max-size"]; v != "" {
		if n, unit := splitUnit(v); unit == "" && n != "" {
			return fmt.Errorf("'connector.bulk-flush.max-size' = '%s' needs its unit, such as '42 mb'", options["connector.bulk-flush.max-size"])
		}
	}
	return nil
}

// numbered joins the options that still older versions gave numbers to:
// connector.hosts.0.hostname, connector.properties.0.key.
func numbered(options, out map[string]string) (used map[string]bool) {
	used = make(map[string]bool)
	var hosts, offsets []string
	for i := range maxNumbered {
		h := fmt.Sprintf("connector.hosts.%d.", i)
		p := fmt.Sprintf("connector.properties.%d.", i)
		s := fmt.Sprintf("connector.specific-offsets.%d.", i)
		for _, key := range []string{h + "hostname", h + "port", h + "protocol", p + "key", p + "value", s + "partition", s + "offset"} {
			used[key] = true
		}
		if partition := options[s+"partition"]; partition != "" {
			offsets = append(offsets, "partition:"+partition+",offset:"+options[s+"offset"])
		}
		if name := options[h+"hostname"]; name != "" {
			protocol := options[h+"protocol"]
			if protocol == "" {
				protocol = "http"
			}
			hosts = append(hosts, protocol+"://"+name+":"+options[h+"port"])
		}
		if key := options[p+"key"]; key != "" {
			out["properties."+key] = options[p+"value"]
		}
	}
	if len(offsets) > 0 {
		out["scan.startup.specific-offsets"] = strings.Join(offsets, ";")
	}
	if len(hosts) > 0 {
		out["hosts"] = strings.Join(hosts, ";")
	}
	return used
}

// maxNumbered is how many numbered options there may be.
const maxNumbered = 100
