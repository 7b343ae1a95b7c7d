package sqltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Suffix is what names of test files end in.
const Suffix = ".test.yaml"

// File is a file of tests of one job.
type File struct {
	path    string
	source  []byte
	script  string // the job's statements
	library wasm.Library

	// Job is the file of the job's statements, SQL the statements themselves.
	Job string `yaml:"job"`
	SQL string `yaml:"sql"`
	// Settings are as SET gives them.
	Settings map[string]string `yaml:"settings"`
	// Clock is when the simulated clock begins.
	Clock string  `yaml:"clock"`
	Tests []*Case `yaml:"tests"`
}

// Case is a test: what comes in, and what shall come out.
type Case struct {
	Name  string  `yaml:"name"`
	Clock string  `yaml:"clock"`
	Steps []*Step `yaml:"steps"`
	// Open leaves the inputs open: windows that wait for more are not closed at the end.
	Open bool `yaml:"open"`
	// Expect is what the tables hold that the job writes, by name.
	Expect map[string]*Expect `yaml:"expect"`
	// Late is how many rows come too late; absent: not looked at.
	Late *int `yaml:"late"`
	// DeadLetters are the records that cannot be used; absent: not looked at.
	DeadLetters *Expect `yaml:"dead_letters"`
	// Error is part of the message with which the job fails.
	Error string `yaml:"error"`
}

// Step puts rows into a table, or lets time pass.
type Step struct {
	Into string `yaml:"into"`
	// Rows are records: a map of columns, a list of values, or the text of the record.
	Rows []any `yaml:"rows"`
	// Lines are records too, one a line, as they are.
	Lines     string `yaml:"lines"`
	Partition int32  `yaml:"partition"`
	// Advance moves the clock on by a time such as 10 s; At moves it to a time.
	Advance string `yaml:"advance"`
	At      string `yaml:"at"`
}

// Expect is what a table shall hold.
type Expect struct {
	// Ordered compares in the order of writing.
	Ordered bool `yaml:"ordered"`
	// Changelog compares every change, whose kind is the column $op.
	Changelog bool             `yaml:"changelog"`
	Rows      []map[string]any `yaml:"rows"`
}

// UnmarshalYAML takes a list of rows by itself as well.
func (e *Expect) UnmarshalYAML(unmarshal func(any) error) error {
	var rows []map[string]any
	if err := unmarshal(&rows); err == nil {
		e.Rows = rows
		return nil
	}
	type plain Expect
	return unmarshal((*plain)(e))
}

// Load reads a file of tests and the statements that it names.
func Load(path string) (*File, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := decode(path, source)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Job != "" && f.SQL != "":
		err = errors.New("give either job or sql, not both")
	case f.Job == "" && f.SQL == "":
		err = errors.New("job (a file of statements) or sql (statements) is missing")
	case f.Job != "":
		var text []byte
		text, err = os.ReadFile(filepath.Join(filepath.Dir(path), f.Job))
		f.script = string(text)
	default:
		f.script = f.SQL
	}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.library = wasm.Library{Anywhere: true}
	return f, nil
}

// Parse reads tests of statements that are given beside them. It opens no file, and
// the functions of the statements come from the library.
func Parse(tests, script string, settings map[string]string, library wasm.Library) (*File, error) {
	f, err := decode("tests", []byte(tests))
	if err != nil {
		return nil, err
	}
	if f.Job != "" || f.SQL != "" {
		return nil, errors.New("tests: job and sql are not used here: the statements are given beside the tests")
	}
	f.script, f.library = script, library
	if f.Settings == nil {
		f.Settings = map[string]string{}
	}
	for k, v := range settings {
		if _, ok := f.Settings[k]; !ok {
			f.Settings[k] = v
		}
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("tests: %w", err)
	}
	return f, nil
}

func decode(path string, source []byte) (*File, error) {
	f := &File{path: path, source: source}
	if err := yaml.UnmarshalWithOptions(source, f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if len(f.Tests) == 0 {
		return nil, fmt.Errorf("%s: tests is missing", path)
	}
	return f, nil
}

func (f *File) check() error {
	names := make(map[string]bool)
	for i, c := range f.Tests {
		switch {
		case c == nil:
			return fmt.Errorf("test %d is empty", i+1)
		case c.Name == "":
			return fmt.Errorf("test %d has no name", i+1)
		case names[c.Name]:
			return fmt.Errorf("two tests are called %q", c.Name)
		}
		names[c.Name] = true
		if c.Clock == "" {
			c.Clock = f.Clock
		}
		if _, err := clockAt(c.Clock); err != nil {
			return fmt.Errorf("test %q: clock: %w", c.Name, err)
		}
		for n, s := range c.Steps {
			if err := s.check(); err != nil {
				return fmt.Errorf("test %q: step %d: %w", c.Name, n+1, err)
			}
		}
	}
	return nil
}

func (s *Step) check() error {
	if s == nil {
		return errors.New("it is empty")
	}
	given := 0
	for _, v := range []string{s.Into, s.Advance, s.At} {
		if v != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("give one of into, advance and at")
	case s.Into == "" && (len(s.Rows) > 0 || s.Lines != ""):
		return errors.New("rows need into, the table that they go into")
	case s.Advance != "":
		if d, err := connector.ParseDuration(s.Advance); err != nil || d <= 0 {
			return fmt.Errorf("advance: %q is not a duration such as 10 s", s.Advance)
		}
	case s.At != "":
		_, err := clockAt(s.At)
		return err
	}
	return nil
}

// clockAt reads a time of the simulated clock.
func clockAt(text string) (time.Time, error) {
	if text == "" {
		return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2024-01-01 12:00:00", text)
}
