// Package config fills a configuration struct: defaults, then YAML files, then
// the environment, then flags, each over the one before. Every leaf of the
// struct has a path made of its yaml names: `ingest.listen` is that key in a
// file, WEIRFLOW_INGEST_LISTEN in the environment, --ingest.listen as a flag.
package config

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// EnvPrefix begins the name of every environment variable that is read.
const EnvPrefix = "WEIRFLOW_"

// Validator is a configuration that can say what is wrong with it.
type Validator interface {
	Validate() error
}

// Sources says where values come from beside the defaults.
type Sources struct {
	// Files are YAML files, later ones over earlier ones.
	Files []string
	// Environ is a list of NAME=value, such as os.Environ().
	Environ []string
	// Flags were made by AddFlags; those that were given count.
	Flags *pflag.FlagSet
}

// Load fills cfg, a pointer to a struct that holds the defaults, and validates it.
func Load(cfg any, s Sources) error {
	for _, f := range s.Files {
		if err := loadFile(cfg, f); err != nil {
			return err
		}
	}
	leaves := leavesOf(cfg)
	env := map[string]string{}
	for _, kv := range s.Environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	for _, l := range leaves {
		if v, ok := env[l.env()]; ok {
			if err := l.set(v); err != nil {
				return fmt.Errorf("environment variable %s: %w", l.env(), err)
			}
		}
	}
	if s.Flags != nil {
		for _, l := range leaves {
			f := s.Flags.Lookup(l.flag())
			if f == nil || !f.Changed {
				continue
			}
			if err := l.set(f.Value.String()); err != nil {
				return fmt.Errorf("flag --%s: %w", l.flag(), err)
			}
		}
	}
	if v, ok := cfg.(Validator); ok {
		return v.Validate()
	}
	return nil
}

func loadFile(cfg any, file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if strings.TrimSpace(string(b)) == "" {
		return nil
	}
	if err := yaml.UnmarshalWithOptions(b, cfg, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", file, explain(err, cfg, b))
	}
	return nil
}

// explain says in one line where a document is wrong, and what was meant.
func explain(err error, cfg any, doc []byte) error {
	at, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return fmt.Errorf("%s%w", blame(cfg, doc), err)
	}
	where := ""
	if t := at.GetToken(); t != nil && t.Position != nil {
		where = fmt.Sprintf("line %d, column %d: ", t.Position.Line, t.Position.Column)
	}
	if unknown, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		key := unknown.GetToken().Value
		return fmt.Errorf("%sunknown key %q%s", where, key, suggest.Hint(key, names(cfg)))
	}
	if _, syntax := errors.AsType[*yaml.SyntaxError](err); syntax {
		return fmt.Errorf("%s%s", where, at.GetMessage())
	}
	return fmt.Errorf("%s%s%s", where, blame(cfg, doc), at.GetMessage())
}

// blame finds the key whose value can't be read, for errors that don't say.
func blame(cfg any, doc []byte) string {
	for _, l := range leavesOf(cfg) {
		at, err := yaml.PathString("$." + strings.Join(l.path, "."))
		if err != nil {
			continue
		}
		into := reflect.New(l.value.Type()).Interface()
		if err := at.Read(strings.NewReader(string(doc)), into); err != nil && !errors.Is(err, yaml.ErrNotFoundNode) {
			return strings.Join(l.path, ".") + ": "
		}
	}
	return ""
}

// AddFlags makes a flag for each leaf of cfg, whose values are shown as defaults
// and whose `help` tags say what they are for.
func AddFlags(fs *pflag.FlagSet, cfg any) {
	for _, l := range leavesOf(cfg) {
		if fs.Lookup(l.flag()) != nil {
			continue
		}
		usage := strings.TrimSpace(l.help + " [" + l.env() + "]")
		switch l.value.Kind() {
		case reflect.Bool:
			fs.Bool(l.flag(), l.value.Bool(), usage)
		case reflect.String:
			fs.String(l.flag(), l.value.String(), usage)
		default:
			fs.String(l.flag(), strings.TrimPrefix(strings.TrimPrefix(l.text(), "[]"), "{}"), usage)
		}
	}
}

// Render prints a configuration as YAML; secrets print as stars.
func Render(cfg any) ([]byte, error) {
	b, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("render configuration: %w", err)
	}
	return b, nil
}

// Diff prints, a line each, the leaves of cfg that differ from those of def.
func Diff(cfg, def any) ([]byte, error) {
	have, want := leavesOf(cfg), leavesOf(def)
	if len(have) != len(want) {
		return nil, errors.New("configurations are of different types")
	}
	var b strings.Builder
	for i := range have {
		if a, d := have[i].text(), want[i].text(); a != d {
			fmt.Fprintf(&b, "%s: %s  # default %s\n", strings.Join(have[i].path, "."), a, d)
		}
	}
	return []byte(b.String()), nil
}

// leaf is one value of a configuration struct.
type leaf struct {
	path  []string
	help  string
	value reflect.Value
}

func (l leaf) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(strings.Join(l.path, "_"), "-", "_"))
}

func (l leaf) flag() string { return strings.ReplaceAll(strings.Join(l.path, "."), "_", "-") }

// set parses text as YAML does, but for strings, which are taken as they are,
// and lists, which may be comma-separated.
func (l leaf) set(text string) error {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](l.value.Addr()); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch l.value.Kind() {
	case reflect.String:
		l.value.SetString(text)
		return nil
	case reflect.Slice:
		if !strings.HasPrefix(strings.TrimSpace(text), "[") {
			text = "[" + text + "]"
		}
	default:
	}
	if err := yaml.Unmarshal([]byte(text), l.value.Addr().Interface()); err != nil {
		return fmt.Errorf("%q is not a %s", text, l.value.Type())
	}
	return nil
}

func (l leaf) text() string {
	b, err := yaml.MarshalWithOptions(l.value.Interface(), yaml.Flow(true))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(b))
}

func leavesOf(cfg any) []leaf {
	v := reflect.ValueOf(cfg)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.CanAddr() {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	var out []leaf
	walk(v, nil, &out)
	return out
}

func walk(v reflect.Value, path []string, out *[]leaf) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, opt, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" && opt == "" {
			name = strings.ToLower(f.Name)
		}
		p := path
		if opt != "inline" {
			p = append(slices.Clone(path), name)
		}
		_, text := reflect.TypeAssert[encoding.TextUnmarshaler](v.Field(i).Addr())
		if f.Type.Kind() == reflect.Struct && !text {
			walk(v.Field(i), p, out)
			continue
		}
		*out = append(*out, leaf{path: p, help: f.Tag.Get("help"), value: v.Field(i)})
	}
}

func names(cfg any) []string {
	seen := map[string]bool{}
	for _, l := range leavesOf(cfg) {
		for _, n := range l.path {
			seen[n] = true
		}
	}
	out := make([]string, 0, len(seen))
	for n := range seen {
		out = append(out, n)
	}
	return out
}
