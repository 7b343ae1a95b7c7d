package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Source is one configuration file, by name or with its text.
type Source struct {
	Name string
	// Text is the content; nil makes Load read the file Name.
	Text []byte
}

// Options say what to load.
type Options struct {
	Sources   []Source
	Overrides []string
	Lookup    Lookup
	// StrictPerms refuses files that others may write.
	StrictPerms bool
}

// Config is a checked configuration.
type Config struct {
	Root            *Node
	Name, Hostname  string
	Tags            []string
	Fields          *Node
	FieldsUnderRoot bool
	Processors      *Node
	Inputs          []*Node
	Output          string
	OutputSection   Section
	PathHome        string
	PathData        string
	PathLogs        string
	RegistryPath    string
	RegistryMode    os.FileMode
	RegistryFlush   time.Duration
	ShutdownTimeout time.Duration
	// Ignored names what the file has and Filebeat knows, but has no meaning here.
	Ignored []string
}

// Load reads, joins and checks.
func Load(o Options) (*Config, error) {
	root := &Node{Kind: Map}
	fragments := false
	for _, src := range o.Sources {
		text := src.Text
		if text == nil {
			var err error
			if text, err = readFile(src.Name, o.StrictPerms); err != nil {
				return nil, err
			}
		}
		n, fragment, err := Parse(src.Name, text)
		if err != nil {
			return nil, fmt.Errorf("read configuration %w", err)
		}
		fragments = fragments || fragment
		root = merge(root, n)
	}
	for _, e := range o.Overrides {
		if err := Override(root, e); err != nil {
			return nil, err
		}
	}
	if fragments && root.Members["processors"] == nil {
		// A fragment is meant to be put into the file that Filebeat comes with,
		// which has this processor.
		root.put("processors", ParseValue("[{add_host_metadata: {}}]", "", 0))
	}
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	if err := Expand(root, o.Lookup); err != nil {
		return nil, err
	}
	return build(root)
}

func readFile(name string, strict bool) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if strict && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("read configuration %s: others may write it (mode %#o): chmod go-w, or --strict.perms=false", name, info.Mode().Perm())
	}
	if info.Size() > 16<<20 {
		return nil, fmt.Errorf("read configuration %s: %d bytes is too large", name, info.Size())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return text, nil
}

func build(root *Node) (*Config, error) {
	c := check("", root, GlobalOptions())
	s := NewSection(root, GlobalOptions())
	cfg := &Config{
		Root: root, Name: s.String("name"), Hostname: s.String("hostname"), Tags: s.Strings("tags"), Fields: s.Node("fields"),
		FieldsUnderRoot: s.Bool("fields_under_root"), Processors: s.Node("processors"),
		PathHome: s.String("path.home"), PathData: s.String("path.data"), PathLogs: s.String("path.logs"),
		RegistryPath: s.String("filebeat.registry.path"), RegistryFlush: s.Duration("filebeat.registry.flush"),
		ShutdownTimeout: s.Duration("filebeat.shutdown_timeout"), Ignored: c.ignored,
	}
	mode, err := strconv.ParseUint(s.String("filebeat.registry.file_permissions"), 0, 32)
	if err != nil {
		mode = 0o600 // reported by check
	}
	cfg.RegistryMode = os.FileMode(mode) & os.ModePerm
	if cfg.Fields != nil && cfg.Fields.Kind != Map && cfg.Fields.Kind != Null {
		c.errs = append(c.errs, cfg.Fields.Errorf("fields is %s, but should be a mapping", cfg.Fields.kindName()))
	}
	cfg.inputs(&c, root.Get("filebeat.inputs"))
	cfg.output(&c, root.Get("output"))
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	cfg.Ignored = c.ignored
	slices.Sort(cfg.Ignored)
	cfg.Ignored = slices.Compact(cfg.Ignored)
	return cfg, nil
}

// ErrNoInputs is returned where there is nothing to read.
var ErrNoInputs = errors.New("no input is enabled: give filebeat.inputs at least one with paths")

func (cfg *Config) inputs(c *checked, n *Node) {
	if n == nil || n.Kind == Null {
		c.errs = append(c.errs, ErrNoInputs)
		return
	}
	if n.Kind != List {
		c.errs = append(c.errs, n.Errorf("filebeat.inputs is %s, but should be a list: - type: log …", n.kindName()))
		return
	}
	for i, it := range n.Items {
		section := "filebeat.inputs." + strconv.Itoa(i)
		if it.Kind != Map {
			c.errs = append(c.errs, it.Errorf("%s is %s, but should be a mapping with type and paths", section, it.kindName()))
			continue
		}
		table, err := InputTable(it)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		found := check(section, it, table)
		c.errs = append(c.errs, found.errs...)
		for _, k := range found.ignored {
			c.ignored = append(c.ignored, "filebeat.inputs."+k[len(section)+1:])
		}
		if NewSection(it, table).Bool("enabled") {
			cfg.Inputs = append(cfg.Inputs, it)
		}
	}
	if len(cfg.Inputs) == 0 && len(c.errs) == 0 {
		c.errs = append(c.errs, ErrNoInputs)
	}
}

// InputTable is the table that belongs to an input's type.
func InputTable(n *Node) (Table, error) {
	kind, _ := n.Get("type").Text()
	switch kind {
	case "", "log":
		return LogOptions(), nil
	case "filestream":
		return FilestreamOptions(), nil
	case "container", "docker":
		return ContainerOptions(), nil
	}
	if hint := Suggest(kind, []string{"log", "filestream", "container"}); hint != "" {
		return nil, n.Get("type").Errorf("unknown input type %q: did you mean %q?", kind, hint)
	}
	return nil, n.Get("type").Errorf("input type %q is not supported: there are log, filestream and container", kind)
}

func (cfg *Config) output(c *checked, n *Node) {
	if n == nil || n.Kind == Null {
		c.errs = append(c.errs, errors.New("no output is given: add output.kafka, output.ingest, output.console or output.file"))
		return
	}
	if n.Kind != Map {
		c.errs = append(c.errs, n.Errorf("output is %s, but should be a mapping", n.kindName()))
		return
	}
	tables := map[string]Table{"kafka": KafkaOptions(), "ingest": IngestOptions(), "console": ConsoleOptions(), "file": FileOptions()}
	var enabled []string
	for _, k := range n.Keys {
		table, ok := tables[k]
		v := n.Members[k]
		if !ok {
			if v.Kind == Map {
				if on, err := asBool(orNull(v.Get("enabled"))); err == nil && !on && v.Get("enabled") != nil {
					continue
				}
			}
			c.errs = append(c.errs, unknownOutput(k, v))
			continue
		}
		found := check("output."+k, v, table)
		c.errs, c.ignored = append(c.errs, found.errs...), append(c.ignored, found.ignored...)
		if s := NewSection(v, table); s.Bool("enabled") {
			enabled = append(enabled, k)
			cfg.Output, cfg.OutputSection = k, s
		}
	}
	switch {
	case len(enabled) > 1:
		slices.Sort(enabled)
		c.errs = append(c.errs, n.Errorf("more than one output is enabled: %v; keep one", enabled))
	case len(enabled) == 0 && len(c.errs) == 0:
		c.errs = append(c.errs, n.Errorf("no output is enabled"))
	}
}

func orNull(n *Node) *Node {
	if n == nil {
		return &Node{Kind: Null}
	}
	return n
}

func unknownOutput(k string, v *Node) error {
	if slices.Contains(elsewhere(), k) {
		return v.Errorf("output.%s is not supported: use output.kafka or output.ingest", k)
	}
	if hint := Suggest(k, []string{"kafka", "ingest", "console", "file"}); hint != "" {
		return v.Errorf("unknown output %q: did you mean %q?", k, hint)
	}
	return v.Errorf("unknown output %q: there are kafka, ingest, console and file", k)
}

// Resolve makes a path of the configuration absolute.
func Resolve(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}
