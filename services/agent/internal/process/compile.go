package process

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/host"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// Env is what processors know of the agent.
type Env struct {
	Host host.Facts
	Name string
}

// step does the work of a processor; false drops the event.
type step func(e *document.Event) bool

// kind describes a processor.
type kind struct {
	options  settings.Table
	required []string
	// static: the outcome depends on nothing that a line brings.
	static bool
	// staticIf says so for some settings only.
	staticIf func(b builder) bool
	build    func(b builder) (step, error)
}

// builder is what a processor is built from.
type builder struct {
	settings.Section
	node *settings.Node
	env  Env
}

// processor is a step under a condition.
type processor struct {
	when   Condition
	run    step
	static bool
}

func (p *processor) Run(e *document.Event) bool {
	if p.when != nil && !p.when.Check(e) {
		return true
	}
	return p.run(e)
}

func (p *processor) Static() bool { return p.static && p.when == nil }

// kinds are the processors that there are.
func kinds() map[string]kind {
	all := map[string]kind{}
	for _, group := range []map[string]kind{additions(), removals(), movements(), conversions(), decoders()} {
		maps.Copy(all, group)
	}
	return all
}

// elsewhere are Filebeat's processors that the agent does not have.
func elsewhere() []string {
	return []string{
		"add_cloud_metadata", "add_cloudfoundry_metadata", "add_docker_metadata", "add_kubernetes_metadata", "add_network_direction",
		"add_nomad_metadata", "add_observer_metadata", "add_process_metadata", "community_id", "decode_cef", "decode_xml",
		"decode_xml_wineventlog", "decompress_gzip_field", "detect_mime_type", "dns", "rate_limit", "registered_domain", "script",
		"translate_sid", "append", "move_fields", "syslog", "decode_duration", "now",
	}
}

// Compile reads a list of processors.
func Compile(n *settings.Node, env Env) (Chain, error) {
	if n == nil || n.Kind == settings.Null {
		return nil, nil
	}
	if n.Kind != settings.List {
		return nil, n.Errorf("processors should be a list: - add_tags: …")
	}
	var chain Chain
	for _, it := range n.Items {
		p, err := compileOne(it, env)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	return chain, nil
}

func compileOne(n *settings.Node, env Env) (Processor, error) {
	if n.Kind != settings.Map {
		return nil, n.Errorf("a processor should be its name and settings, such as - add_tags: {tags: [a]}")
	}
	if n.Get("if") != nil {
		return compileIf(n, env)
	}
	if len(n.Keys) != 1 {
		return nil, n.Errorf("each item of processors should be one processor, this has %d: %s", len(n.Keys), strings.Join(n.Keys, ", "))
	}
	name := n.Keys[0]
	settingsNode := n.Members[name]
	k, ok := kinds()[name]
	if !ok {
		return nil, unknownProcessor(name, settingsNode)
	}
	if settingsNode.Kind == settings.Null {
		settingsNode = &settings.Node{Kind: settings.Map, File: n.File, Line: n.Line}
	}
	table := append(slices.Clone(k.options), settings.Option{Key: "when", Type: settings.Any}, settings.Option{Key: "tag", Type: settings.String}, settings.Option{Key: "id", Type: settings.String})
	if err := settings.Check("processors."+name, settingsNode, table); err != nil {
		return nil, err
	}
	for _, r := range k.required {
		if v := settingsNode.Get(r); v == nil || v.Kind == settings.Null || v.Kind == settings.Map && len(v.Keys) == 0 {
			return nil, settingsNode.Errorf("processor %s needs %s", name, r)
		}
	}
	p := &processor{static: k.static}
	var err error
	if w := settingsNode.Get("when"); w != nil {
		if p.when, err = CompileCondition(w); err != nil {
			return nil, err
		}
	}
	b := builder{settings.NewSection(settingsNode, table), settingsNode, env}
	p.static = p.static || k.staticIf != nil && k.staticIf(b)
	p.run, err = k.build(b)
	if err != nil {
		return nil, settingsNode.Errorf("processor %s: %w", name, err)
	}
	return p, nil
}

func unknownProcessor(name string, n *settings.Node) error {
	if slices.Contains(elsewhere(), name) {
		return n.Errorf("processor %s is not supported", name)
	}
	known := slices.Sorted(maps.Keys(kinds()))
	if hint := settings.Suggest(name, known); hint != "" {
		return n.Errorf("unknown processor %q: did you mean %q?", name, hint)
	}
	return n.Errorf("unknown processor %q: there are %s", name, strings.Join(known, ", "))
}

// compileIf reads if, then, else.
func compileIf(n *settings.Node, env Env) (Processor, error) {
	table := settings.Table{{Key: "if", Type: settings.Any}, {Key: "then", Type: settings.Any}, {Key: "else", Type: settings.Any}}
	if err := settings.Check("processors.if", n, table); err != nil {
		return nil, err
	}
	when, err := CompileCondition(n.Get("if"))
	if err != nil {
		return nil, err
	}
	if n.Get("then") == nil {
		return nil, n.Errorf("an if needs a then")
	}
	yes, err := compileBranch(n.Get("then"), env)
	if err != nil {
		return nil, err
	}
	no, err := compileBranch(n.Get("else"), env)
	if err != nil {
		return nil, err
	}
	return &processor{run: func(e *document.Event) bool {
		if when.Check(e) {
			return yes.Run(e)
		}
		return no.Run(e)
	}}, nil
}

// compileBranch reads a list of processors, or one of them.
func compileBranch(n *settings.Node, env Env) (Chain, error) {
	if n != nil && n.Kind == settings.Map {
		p, err := compileOne(n, env)
		return Chain{p}, err
	}
	return Compile(n, env)
}

// fail notes in the event what went wrong.
func fail(e *document.Event, message string) { _ = e.Put("error.message", message) }
