package parse

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// Parsers is what an input's configuration asks for.
type Parsers struct {
	// Stages makes the stages of one file.
	Stages func() []Stage
	// Finish completes an event; nil if nothing is to do.
	Finish    func(e *document.Event, m *Message)
	KeepEmpty bool
}

// maker makes a stage for one file.
type maker func() Stage

func jsonOptions() settings.Table {
	return settings.Table{
		{Key: "keys_under_root", Type: settings.Bool}, {Key: "overwrite_keys", Type: settings.Bool}, {Key: "expand_keys", Type: settings.Bool},
		{Key: "add_error_key", Type: settings.Bool}, {Key: "message_key", Type: settings.String}, {Key: "document_id", Type: settings.String},
		{Key: "ignore_decoding_error", Type: settings.Bool}, {Key: "target", Type: settings.String}, {Key: "max_depth", Type: settings.Ignored},
	}
}

func multilineOptions() settings.Table {
	return settings.Table{
		{Key: "type", Type: settings.String, Default: "pattern"}, {Key: "pattern", Type: settings.Regexps}, {Key: "negate", Type: settings.Bool},
		{Key: "match", Type: settings.String}, {Key: "flush_pattern", Type: settings.Regexps}, {Key: "max_lines", Type: settings.Int, Default: "500"},
		{Key: "timeout", Type: settings.Duration, Default: "5s"}, {Key: "count_lines", Type: settings.Int}, {Key: "skip_newline", Type: settings.Bool},
	}
}

func containerOptions() settings.Table {
	return settings.Table{
		{Key: "stream", Type: settings.String, Default: "all"}, {Key: "format", Type: settings.String, Default: "auto"},
		{Key: "partial", Type: settings.Bool, Default: "true"}, {Key: "cri_flags", Type: settings.Ignored}, {Key: "cri.parse_flags", Type: settings.Ignored},
		{Key: "force_cri_logs", Type: settings.Ignored}, {Key: "combine_partials", Type: settings.Ignored},
	}
}

// Compile reads the parsers of an input.
func Compile(sec settings.Section, kind string) (Parsers, error) {
	if kind == "filestream" {
		return compileFilestream(sec)
	}
	return compileLog(sec, kind)
}

func compileLog(sec settings.Section, kind string) (Parsers, error) {
	var makers []maker
	p := Parsers{}
	if kind != "log" || sec.Has("docker-json") {
		m, err := newContainer(sec.String("stream"), sec.String("format"), true)
		if err != nil {
			return p, err
		}
		makers, p.KeepEmpty = append(makers, m), true
	}
	if n := sec.Node("json"); n != nil && n.Kind == settings.Map {
		o, err := jsonSettings("json", n)
		if err != nil {
			return p, err
		}
		makers = append(makers, func() Stage { return &logJSON{o: o} })
		p.Finish, p.KeepEmpty = finishJSON(o), true
	}
	if n := sec.Node("multiline"); n != nil && n.Kind == settings.Map {
		o, err := multilineSettings(n)
		if err != nil {
			return p, err
		}
		o.MaxBytes = int(sec.Size("max_bytes"))
		makers = append(makers, func() Stage { return NewMultiline(o) })
	}
	p.Stages = stages(makers)
	return p, nil
}

func stages(makers []maker) func() []Stage {
	return func() []Stage {
		out := make([]Stage, len(makers))
		for i, m := range makers {
			out[i] = m()
		}
		return out
	}
}

func compileFilestream(sec settings.Section) (Parsers, error) {
	p := Parsers{Stages: stages(nil)}
	list := sec.Node("parsers")
	if list == nil || list.Kind == settings.Null {
		return p, nil
	}
	if list.Kind != settings.List {
		return p, list.Errorf("parsers should be a list: - multiline: …")
	}
	var makers []maker
	for _, n := range list.Items {
		if n.Kind != settings.Map || len(n.Keys) != 1 {
			return p, n.Errorf("a parser should be one key, such as ndjson or multiline, with its settings")
		}
		m, err := compileParser(n.Keys[0], n.Members[n.Keys[0]])
		if err != nil {
			return p, err
		}
		makers = append(makers, m)
	}
	p.Stages, p.Finish, p.KeepEmpty = stages(makers), finishMessage, true
	return p, nil
}

func compileParser(name string, n *settings.Node) (maker, error) {
	if n.Kind == settings.Null {
		n = &settings.Node{Kind: settings.Map, File: n.File, Line: n.Line}
	}
	switch name {
	case "ndjson":
		o, err := jsonSettings("parsers.ndjson", n)
		if err != nil {
			return nil, err
		}
		return func() Stage { return &ndjson{o: o} }, nil
	case "multiline":
		o, err := multilineSettings(n)
		if err != nil {
			return nil, err
		}
		o.LastOffset = true
		return func() Stage { return NewMultiline(o) }, nil
	case "container":
		if err := settings.Check("parsers.container", n, containerOptions()); err != nil {
			return nil, err
		}
		sec := settings.NewSection(n, containerOptions())
		return newContainer(sec.String("stream"), sec.String("format"), false)
	}
	if hint := settings.Suggest(name, []string{"ndjson", "multiline", "container"}); hint != "" {
		return nil, n.Errorf("no such parser: %q; did you mean %q?", name, hint)
	}
	return nil, n.Errorf("no such parser: %q; there are ndjson, multiline and container", name)
}

func newContainer(stream, format string, strip bool) (maker, error) {
	stream, format = orDefault(stream, "all"), orDefault(format, "auto")
	switch stream {
	case "all", "stdout", "stderr":
	default:
		return nil, fmt.Errorf("invalid value for stream: %s, there are all, stdout and stderr", stream)
	}
	switch format {
	case "auto", "docker", "cri":
	default:
		return nil, fmt.Errorf("invalid value for format: %s, there are auto, docker and cri", format)
	}
	return func() Stage { return &container{o: ContainerOptions{Stream: stream, Format: format, Strip: strip}} }, nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func jsonSettings(section string, n *settings.Node) (JSONOptions, error) {
	if err := settings.Check(section, n, jsonOptions()); err != nil {
		return JSONOptions{}, err
	}
	s := settings.NewSection(n, jsonOptions())
	return JSONOptions{
		MessageKey: s.String("message_key"), DocumentID: s.String("document_id"), Overwrite: s.Bool("overwrite_keys"),
		Expand: s.Bool("expand_keys"), ErrorKey: s.Bool("add_error_key"), Root: s.Bool("keys_under_root"), Target: s.String("target"),
	}, nil
}

func multilineSettings(n *settings.Node) (MultilineOptions, error) {
	o := MultilineOptions{Separator: "\n"}
	if err := settings.Check("multiline", n, multilineOptions()); err != nil {
		return o, err
	}
	s := settings.NewSection(n, multilineOptions())
	o.Negate, o.MaxLines, o.Count, o.Timeout = s.Bool("negate"), s.Int("max_lines"), s.Int("count_lines"), s.Duration("timeout")
	if s.Bool("skip_newline") {
		o.Separator = ""
	}
	o.Pattern, o.Flush = only(s.Regexps("pattern")), only(s.Regexps("flush_pattern"))
	switch kind := strings.ToLower(s.String("type")); kind {
	case "pattern":
		o.Kind = ByPattern
		switch s.String("match") {
		case "after":
		case "before":
			o.Before = true
		default:
			return o, n.Errorf("multiline.match must be after or before, is %q", s.String("match"))
		}
	case "while_pattern":
		o.Kind = WhilePattern
	case "count":
		o.Kind = ByCount
		if o.Count < 1 {
			return o, n.Errorf("multiline.count_lines must be given for type count, and be more than 0")
		}
		return o, nil
	default:
		return o, n.Errorf("unknown multiline type %q: there are pattern, count and while_pattern", kind)
	}
	if o.Pattern == nil {
		return o, n.Errorf("multiline.pattern is missing")
	}
	return o, nil
}

func only(patterns []*regexp.Regexp) *regexp.Regexp {
	if len(patterns) == 0 {
		return nil
	}
	return patterns[0]
}
