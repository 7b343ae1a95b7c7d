package settings

// Type is what an option's value has to be.
type Type int

// The types of options.
const (
	String Type = iota
	Strings
	Bool
	Int
	Size
	Duration
	Regexps
	// Any is a value that is looked at elsewhere, with all that is below it.
	Any
	// Ignored is known to Filebeat and without meaning here: taken, with a notice.
	Ignored
	// Unsupported is known to Filebeat, but would change the result: refused.
	Unsupported
)

// Option is a row of a table.
type Option struct {
	Key     string
	Type    Type
	Default string
	// Note says for Unsupported what to do instead.
	Note string
}

// Table is a set of options.
type Table []Option

// GlobalOptions are the keys of a file outside inputs and outputs.
func GlobalOptions() Table {
	return Table{
		{Key: "name", Type: String}, {Key: "tags", Type: Strings}, {Key: "fields", Type: Any},
		{Key: "fields_under_root", Type: Bool, Default: "false"}, {Key: "processors", Type: Any},
		{Key: "max_procs", Type: Ignored}, {Key: "timestamp.precision", Type: Ignored},
		{Key: "path.home", Type: String}, {Key: "path.config", Type: String}, {Key: "path.data", Type: String}, {Key: "path.logs", Type: String},
		{Key: "hostname", Type: String},
		{Key: "filebeat.inputs", Type: Any},
		{Key: "filebeat.shutdown_timeout", Type: Duration, Default: "0s"},
		{Key: "filebeat.registry.path", Type: String}, {Key: "filebeat.registry.file_permissions", Type: Int, Default: "0600"},
		{Key: "filebeat.registry.flush", Type: Duration, Default: "1s"}, {Key: "filebeat.registry.migrate_file", Type: Ignored},
		{Key: "filebeat.registry.type", Type: Ignored}, {Key: "filebeat.registry.cleanup_interval", Type: Ignored},
		{Key: "filebeat.config.modules", Type: Ignored}, {Key: "filebeat.modules", Type: Ignored}, {Key: "filebeat.overwrite_pipelines", Type: Ignored},
		{Key: "filebeat.config.inputs", Type: Unsupported, Note: "give the inputs in the file itself, or name several files with -c"},
		{Key: "filebeat.config_dir", Type: Unsupported, Note: "name several files with -c"},
		{Key: "filebeat.autodiscover", Type: Unsupported, Note: "list the paths in filebeat.inputs"},
		{Key: "output", Type: Any},
		{Key: "queue", Type: Ignored}, {Key: "setup", Type: Ignored}, {Key: "logging", Type: Ignored}, {Key: "monitoring", Type: Ignored},
		{Key: "http", Type: Ignored}, {Key: "xpack", Type: Ignored}, {Key: "cloud", Type: Ignored}, {Key: "seccomp", Type: Ignored},
		{Key: "keystore", Type: Ignored}, {Key: "features", Type: Ignored}, {Key: "instrumentation", Type: Ignored}, {Key: "management", Type: Ignored},
		{Key: "migration", Type: Ignored}, {Key: "cloudwatch", Type: Ignored}, {Key: "ssl", Type: Ignored},
	}
}

func commonInputOptions() Table {
	return Table{
		{Key: "type", Type: String, Default: "log"}, {Key: "enabled", Type: Bool, Default: "true"}, {Key: "id", Type: String},
		{Key: "paths", Type: Strings}, {Key: "tags", Type: Strings}, {Key: "fields", Type: Any},
		{Key: "fields_under_root", Type: Bool, Default: "false"}, {Key: "processors", Type: Any},
		{Key: "include_lines", Type: Regexps}, {Key: "exclude_lines", Type: Regexps},
		{Key: "encoding", Type: String, Default: "plain"}, {Key: "line_terminator", Type: String, Default: "auto"},
		{Key: "ignore_older", Type: Duration, Default: "0s"}, {Key: "harvester_limit", Type: Int, Default: "0"},
		{Key: "clean_removed", Type: Bool, Default: "true"}, {Key: "keep_null", Type: Bool, Default: "false"},
		{Key: "pipeline", Type: String}, {Key: "index", Type: String}, {Key: "publisher_pipeline.disable_host", Type: Bool, Default: "false"},
		{Key: "file_identity", Type: Any}, {Key: "name", Type: Ignored}, {Key: "service.name", Type: Ignored}, {Key: "service.type", Type: Ignored},
	}
}

// LogOptions are the keys of an input of type log.
func LogOptions() Table {
	return append(commonInputOptions(), Table{
		{Key: "recursive_glob.enabled", Type: Bool, Default: "true"}, {Key: "exclude_files", Type: Regexps},
		{Key: "scan_frequency", Type: Duration, Default: "10s"}, {Key: "scan.sort", Type: String}, {Key: "scan.order", Type: String, Default: "asc"},
		{Key: "scan_sort", Type: Ignored}, {Key: "scan_order", Type: Ignored},
		{Key: "symlinks", Type: Bool, Default: "false"}, {Key: "harvester_buffer_size", Type: Size, Default: "16384"},
		{Key: "max_bytes", Type: Size, Default: "10485760"}, {Key: "tail_files", Type: Bool, Default: "false"},
		{Key: "close_inactive", Type: Duration, Default: "5m"}, {Key: "close_renamed", Type: Bool, Default: "false"},
		{Key: "close_removed", Type: Bool, Default: "true"}, {Key: "close_eof", Type: Bool, Default: "false"},
		{Key: "close_timeout", Type: Duration, Default: "0s"}, {Key: "clean_inactive", Type: Duration, Default: "0s"},
		{Key: "backoff", Type: Duration, Default: "1s"}, {Key: "max_backoff", Type: Duration, Default: "10s"}, {Key: "backoff_factor", Type: Int, Default: "2"},
		{Key: "json", Type: Any}, {Key: "multiline", Type: Any}, {Key: "docker-json", Type: Any}, {Key: "allow_deprecated_use", Type: Ignored},
	}...)
}

// ContainerOptions are the keys of an input of type container.
func ContainerOptions() Table {
	return append(LogOptions(), Table{
		{Key: "stream", Type: String, Default: "all"}, {Key: "format", Type: String, Default: "auto"},
	}...)
}

// FilestreamOptions are the keys of an input of type filestream.
func FilestreamOptions() Table {
	return append(commonInputOptions(), Table{
		{Key: "allow_deprecated_id_duplication", Type: Ignored},
		{Key: "prospector.scanner.recursive_glob", Type: Bool, Default: "true"}, {Key: "prospector.scanner.exclude_files", Type: Regexps},
		{Key: "prospector.scanner.include_files", Type: Regexps}, {Key: "prospector.scanner.check_interval", Type: Duration, Default: "10s"},
		{Key: "prospector.scanner.symlinks", Type: Bool, Default: "false"}, {Key: "prospector.scanner.resend_on_touch", Type: Ignored},
		{Key: "prospector.scanner.fingerprint", Type: Ignored},
		{Key: "buffer_size", Type: Size, Default: "16384"}, {Key: "message_max_bytes", Type: Size, Default: "10485760"},
		{Key: "ignore_inactive", Type: String}, {Key: "clean_inactive", Type: Duration, Default: "-1s"}, {Key: "legacy_clean_inactive", Type: Ignored},
		{Key: "close.on_state_change.inactive", Type: Duration, Default: "5m"}, {Key: "close.on_state_change.renamed", Type: Bool, Default: "false"},
		{Key: "close.on_state_change.removed", Type: Bool, Default: "true"}, {Key: "close.on_state_change.check_interval", Type: Ignored},
		{Key: "close.reader.on_eof", Type: Bool, Default: "false"}, {Key: "close.reader.after_interval", Type: Duration, Default: "0s"},
		{Key: "backoff.init", Type: Duration, Default: "2s"}, {Key: "backoff.max", Type: Duration, Default: "10s"},
		{Key: "parsers", Type: Any}, {Key: "take_over", Type: Ignored},
		{Key: "include_file_owner_name", Type: Ignored}, {Key: "include_file_owner_group_name", Type: Ignored},
		{Key: "delete", Type: Unsupported, Note: "the agent deletes no files"}, {Key: "compression", Type: Unsupported, Note: "unpack the files first"},
	}...)
}

func batchOptions() Table {
	return Table{
		{Key: "enabled", Type: Bool, Default: "true"}, {Key: "codec", Type: Any}, {Key: "bulk_max_size", Type: Ignored},
		{Key: "bulk_flush_frequency", Type: Ignored}, {Key: "worker", Type: Ignored}, {Key: "workers", Type: Ignored}, {Key: "queue", Type: Ignored},
	}
}

// KafkaOptions are the keys of output.kafka.
func KafkaOptions() Table {
	return append(batchOptions(), Table{
		{Key: "hosts", Type: Strings}, {Key: "version", Type: Ignored}, {Key: "topic", Type: String}, {Key: "topics", Type: Any}, {Key: "key", Type: String},
		{Key: "username", Type: String}, {Key: "password", Type: String}, {Key: "sasl.mechanism", Type: String},
		{Key: "ssl.enabled", Type: Bool}, {Key: "ssl.verification_mode", Type: String, Default: "full"}, {Key: "ssl.certificate_authorities", Type: Strings},
		{Key: "ssl.certificate", Type: String}, {Key: "ssl.key", Type: String}, {Key: "ssl.key_passphrase", Type: String}, {Key: "ssl.supported_protocols", Type: Ignored},
		{Key: "ssl.cipher_suites", Type: Ignored}, {Key: "ssl.curve_types", Type: Ignored}, {Key: "ssl.renegotiation", Type: Ignored},
		{Key: "ssl.ca_trusted_fingerprint", Type: Unsupported, Note: "give the certificate in ssl.certificate_authorities"},
		{Key: "ssl.ca_sha256", Type: Unsupported, Note: "give the certificate in ssl.certificate_authorities"},
		{Key: "client_id", Type: String, Default: "beats"}, {Key: "required_acks", Type: Int, Default: "1"}, {Key: "compression", Type: String, Default: "gzip"},
		{Key: "compression_level", Type: Int, Default: "4"}, {Key: "max_message_bytes", Type: Size, Default: "1000000"}, {Key: "headers", Type: Any},
		{Key: "timeout", Type: Ignored}, {Key: "broker_timeout", Type: Duration, Default: "10s"}, {Key: "keep_alive", Type: Ignored}, {Key: "partition", Type: Any},
		{Key: "metadata", Type: Ignored}, {Key: "max_retries", Type: Ignored}, {Key: "backoff", Type: Ignored}, {Key: "channel_buffer_size", Type: Ignored},
		{Key: "kerberos", Type: Unsupported, Note: "use sasl.mechanism PLAIN or SCRAM"},
	}...)
}

// IngestOptions are the keys of output.ingest.
func IngestOptions() Table {
	return append(batchOptions(), Table{
		{Key: "hosts", Type: Strings}, {Key: "token", Type: String}, {Key: "window", Type: Int, Default: "0"}, {Key: "topic", Type: String}, {Key: "key", Type: String},
		{Key: "tls.enabled", Type: Bool, Default: "false"}, {Key: "tls.ca", Type: String}, {Key: "tls.certificate", Type: String}, {Key: "tls.key", Type: String},
		{Key: "backoff.init", Type: Duration, Default: "1s"}, {Key: "backoff.max", Type: Duration, Default: "60s"},
	}...)
}

// ConsoleOptions are the keys of output.console.
func ConsoleOptions() Table {
	return append(batchOptions(), Option{Key: "pretty", Type: Bool, Default: "false"})
}

// FileOptions are the keys of output.file.
func FileOptions() Table {
	return append(batchOptions(), Table{
		{Key: "path", Type: String}, {Key: "filename", Type: String, Default: "filebeat"}, {Key: "rotate_every_kb", Type: Int, Default: "10240"},
		{Key: "number_of_files", Type: Int, Default: "7"}, {Key: "permissions", Type: Int, Default: "0600"}, {Key: "rotate_on_startup", Type: Bool, Default: "true"},
	}...)
}

// elsewhere are the outputs of Filebeat that the agent does not have.
func elsewhere() []string { return []string{"elasticsearch", "logstash", "redis", "elasticcloud"} }
