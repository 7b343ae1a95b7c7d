package connector

import (
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

// formatRenames are those of the format, in every connector.
var formatRenames = map[string]string{
	"format.type": "format", "format.fail-on-missing-field": "json.fail-on-missing-field", "format.ignore-parse-errors": "json.ignore-parse-errors",
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
			out[formatRenames[key]] = value
		case kind == "kafka" && strings.HasPrefix(key, "connector.properties."):
			out[strings.TrimPrefix(key, "connector.")] = value
		case slices.Contains(ignored, key):
		default:
			names := slices.Concat(slices.Collect(maps.Keys(table)), slices.Collect(maps.Keys(formatRenames)), ignored)
			return nil, fmt.Errorf("option '%s' is not known%s", key, suggest.Hint(key, names))
		}
	}
	if mode := options["update-mode"]; mode != "" && mode != "append" && mode != "upsert" && mode != "retract" {
		return nil, fmt.Errorf("'update-mode' = '%s' is not one of append, upsert, retract", mode)
	}
	return out, defaults(kind, options, out)
}

func legacyName(kind, version string) (string, error) {
	if kind != "elasticsearch" {
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
	var hosts []string
	for i := range maxNumbered {
		h := fmt.Sprintf("connector.hosts.%d.", i)
		p := fmt.Sprintf("connector.properties.%d.", i)
		for _, key := range []string{h + "hostname", h + "port", h + "protocol", p + "key", p + "value"} {
			used[key] = true
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
	if len(hosts) > 0 {
		out["hosts"] = strings.Join(hosts, ";")
	}
	return used
}

// maxNumbered is how many numbered options there may be.
const maxNumbered = 100
