package agent

import (
	"errors"
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/charset"
	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/feed"
	"github.com/weirflow/weirflow/services/agent/internal/parse"
	"github.com/weirflow/weirflow/services/agent/internal/process"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
	"github.com/weirflow/weirflow/services/agent/internal/tail"
)

// compiled is a configuration, ready to run.
type compiled struct {
	inputs []input
}

// input is an input, ready to run.
type input struct {
	label string
	tail  tail.Options
	plan  *feed.Plan
}

// compile builds everything that a configuration describes.
func compile(s *settings.Config, c Config, f facts) (*compiled, error) {
	var errs []error
	env := process.Env{Host: f.host, Name: f.name(s)}
	global, err := process.Compile(s.Processors, env)
	errs = append(errs, err)
	route, err := newRouter(s)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := &compiled{}
	for i, n := range s.Inputs {
		in, err := compileInput(s, n, c, f, env, global, route)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: input %d: %w", n.Where(), i, err))
			continue
		}
		out.inputs = append(out.inputs, in)
	}
	return out, errors.Join(errs...)
}

func compileInput(s *settings.Config, n *settings.Node, c Config, f facts, env process.Env, global process.Chain, route *router) (input, error) {
	table, err := settings.InputTable(n)
	if err != nil {
		return input{}, err
	}
	sec := settings.NewSection(n, table)
	kind := first(sec.String("type"), "log")
	in := input{label: kind}
	if id := sec.String("id"); id != "" {
		in.label = kind + " " + id
	}
	var common error
	in.tail, common = commonTail(sec, kind, c)
	if kind == "filestream" {
		filestreamTail(&in.tail, sec, f)
	} else {
		logTail(&in.tail, sec)
	}
	plan := &feed.Plan{
		Include: sec.Regexps("include_lines"), Exclude: sec.Regexps("exclude_lines"), MaxBytes: in.tail.MaxBytes,
		Router: route, Header: document.Header{Beat: "filebeat", Version: Compatible}, KeepNull: sec.Bool("keep_null"),
	}
	in.plan = plan
	base, err := baseEvent(s, sec, f, kind)
	if err != nil {
		return input{}, err
	}
	plan.Base = base
	own, err := process.Compile(sec.Node("processors"), env)
	if err != nil {
		return input{}, err
	}
	plan.Processors = append(append(process.Chain{}, own...), global...)
	parsers, err := parse.Compile(sec, kind)
	if err != nil {
		return input{}, err
	}
	plan.Stages, plan.Finish, plan.KeepEmpty = parsers.Stages, parsers.Finish, parsers.KeepEmpty
	return in, errors.Join(common, checkTail(in.tail, sec, kind))
}

// commonTail reads what log and filestream have in common.
func commonTail(sec settings.Section, kind string, c Config) (tail.Options, error) {
	o := tail.Options{
		Key: kind, Paths: sec.Strings("paths"), IgnoreOlder: sec.Duration("ignore_older"), Limit: sec.Int("harvester_limit"),
		CleanRemoved: sec.Bool("clean_removed"), CleanInactive: sec.Duration("clean_inactive"), Once: c.Once,
	}
	var err, terr error
	o.Charset, err = charset.Find(sec.String("encoding"))
	name := sec.String("line_terminator")
	o.Terminator, terr = charset.Terminator(name)
	o.AutoTerminator = name == "" || name == "auto"
	if id := sec.Node("file_identity"); id != nil {
		for _, k := range id.Keys {
			switch k {
			case "path":
				o.ByPath = true
			case "native", "fingerprint": // content is always looked at
			default:
				err = errors.Join(err, id.Errorf("file_identity.%s is not supported: there are native and path", k))
			}
		}
	}
	return o, errors.Join(err, terr)
}

func logTail(o *tail.Options, sec settings.Section) {
	o.Recursive, o.Exclude = sec.Bool("recursive_glob.enabled"), sec.Regexps("exclude_files")
	o.ScanEvery, o.SortBy, o.Descending = sec.Duration("scan_frequency"), sec.String("scan.sort"), sec.String("scan.order") == "desc"
	o.Symlinks, o.MaxBytes, o.BufferSize = sec.Bool("symlinks"), int(sec.Size("max_bytes")), int(sec.Size("harvester_buffer_size"))
	o.TailFiles, o.IgnoredAtEnd = sec.Bool("tail_files"), true
	o.CloseInactive, o.CloseTimeout = sec.Duration("close_inactive"), sec.Duration("close_timeout")
	o.CloseRenamed, o.CloseRemoved, o.CloseEOF = sec.Bool("close_renamed"), sec.Bool("close_removed"), sec.Bool("close_eof")
	o.BackoffMin, o.BackoffMax = sec.Duration("backoff"), sec.Duration("max_backoff")
}

func filestreamTail(o *tail.Options, sec settings.Section, f facts) {
	o.Key = "filestream:" + sec.String("id")
	const scanner = "prospector.scanner."
	o.Recursive = sec.Bool(scanner + "recursive_glob")
	o.Exclude, o.Include = sec.Regexps(scanner+"exclude_files"), sec.Regexps(scanner+"include_files")
	o.ScanEvery, o.Symlinks = sec.Duration(scanner+"check_interval"), sec.Bool(scanner+"symlinks")
	o.MaxBytes, o.BufferSize = int(sec.Size("message_max_bytes")), int(sec.Size("buffer_size"))
	o.CloseInactive, o.CloseTimeout = sec.Duration("close.on_state_change.inactive"), sec.Duration("close.reader.after_interval")
	o.CloseRenamed, o.CloseRemoved = sec.Bool("close.on_state_change.renamed"), sec.Bool("close.on_state_change.removed")
	o.CloseEOF = sec.Bool("close.reader.on_eof")
	o.BackoffMin, o.BackoffMax = sec.Duration("backoff.init"), sec.Duration("backoff.max")
	// On the very first start everything counts as new.
	if first := f.firstStart; !first.Equal(f.started) {
		switch sec.String("ignore_inactive") {
		case "since_first_start":
			o.NotBefore = first
		case "since_last_start":
			o.NotBefore = f.started
		}
	}
}

// checkTail finds settings that contradict one another.
func checkTail(o tail.Options, sec settings.Section, kind string) error {
	var errs []error
	if len(o.Paths) == 0 {
		errs = append(errs, errors.New("no paths are given"))
	}
	for _, p := range o.Paths {
		if err := tail.CheckPattern(p); err != nil {
			errs = append(errs, fmt.Errorf("paths: %q: %w", p, err))
		}
	}
	if o.ScanEvery <= 0 {
		errs = append(errs, errors.New("the scan interval must be longer than zero"))
	}
	if o.MaxBytes <= 0 {
		errs = append(errs, errors.New("the longest line must have more than zero bytes"))
	}
	if o.CleanInactive > 0 && kind == "log" {
		switch {
		case o.IgnoreOlder == 0:
			errs = append(errs, errors.New("clean_inactive needs ignore_older"))
		case o.CleanInactive <= o.IgnoreOlder+o.ScanEvery:
			errs = append(errs, errors.New("clean_inactive must be longer than ignore_older and scan_frequency together"))
		}
	}
	if v := sec.String("ignore_inactive"); v != "" && v != "since_first_start" && v != "since_last_start" {
		errs = append(errs, fmt.Errorf("ignore_inactive %q is neither since_first_start nor since_last_start", v))
	}
	for _, d := range []time.Duration{o.IgnoreOlder, o.CloseInactive, o.CloseTimeout, o.BackoffMin, o.BackoffMax} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("a duration must not be negative, is %s", d))
		}
	}
	return errors.Join(errs...)
}

// baseEvent has what each event of the input begins with.
func baseEvent(s *settings.Config, sec settings.Section, f facts, kind string) (document.Event, error) {
	fields := f.standing(s, kind)
	if !sec.Has("type") {
		delete(fields, "input") // as Filebeat does
	}
	if sec.Bool("publisher_pipeline.disable_host") {
		delete(fields, "host")
	}
	for _, level := range []struct {
		fields *settings.Node
		root   bool
	}{{s.Fields, s.FieldsUnderRoot}, {sec.Node("fields"), sec.Bool("fields_under_root")}} {
		if level.fields == nil || level.fields.Kind == settings.Null {
			continue
		}
		given, ok := level.fields.Plain().(document.Map)
		if !ok {
			return document.Event{}, level.fields.Errorf("fields should be a mapping")
		}
		if !level.root {
			given = document.Map{"fields": given}
		}
		document.Merge(fields, given, true)
	}
	if tags := append(append([]string{}, s.Tags...), sec.Strings("tags")...); len(tags) > 0 {
		if err := document.AddTags(fields, "tags", tags); err != nil {
			return document.Event{}, err
		}
	}
	e := document.Event{Fields: fields}
	return e, baseMeta(&e, sec)
}

func baseMeta(e *document.Event, sec settings.Section) error {
	if p := sec.String("pipeline"); p != "" {
		e.Meta = document.Map{"pipeline": p}
	}
	if index := sec.String("index"); index != "" {
		name, err := indexName(index)
		if err != nil {
			return err
		}
		if e.Meta == nil {
			e.Meta = document.Map{}
		}
		e.Meta["raw_index"] = name
	}
	return nil
}
