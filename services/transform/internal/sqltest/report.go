package sqltest

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/grid"
)

// widest is how wide a column of a difference may be.
const widest = 60

// report tells of results as they come.
type report struct {
	o              Options
	passed, failed int
	updated        int
	suites         []junitSuite
}

// file runs the tests of a file.
func (r *report) file(f *File) error {
	suite := junitSuite{Name: f.path}
	var results []*Result
	for _, c := range f.Tests {
		if r.o.Run != nil && !r.o.Run.MatchString(f.path+": "+c.Name) {
			continue
		}
		res := f.Run(c)
		results = append(results, res)
		if r.o.Update && !res.Passed() && res.updatable() {
			continue
		}
		r.tell(res)
		suite.add(res)
	}
	if len(suite.Cases) > 0 {
		r.suites = append(r.suites, suite)
	}
	if !r.o.Update {
		return nil
	}
	n, err := update(f, results)
	if n > 0 {
		r.updated += n
		fmt.Fprintf(r.o.Out, "updated %s: %d tests\n", f.path, n)
	}
	return err
}

// broken tells of a file that cannot be read.
func (r *report) broken(path string, err error) {
	r.failed++
	fmt.Fprintf(r.o.Out, "%s %s\n", r.paint("FAIL", red), err)
	r.suites = append(r.suites, junitSuite{Name: path, Failures: 1, Tests: 1,
		Cases: []junitCase{{Name: path, Class: path, Failure: &junitFailure{Message: "cannot be read", Text: err.Error()}}}})
}

func (r *report) tell(res *Result) {
	name := fmt.Sprintf("%s: %s (%s)", res.File.path, res.Case.Name, res.Took.Round(time.Millisecond))
	if res.Passed() {
		r.passed++
		if r.o.Verbose {
			fmt.Fprintf(r.o.Out, "%s %s\n", r.paint("PASS", green), name)
		}
		return
	}
	r.failed++
	fmt.Fprintf(r.o.Out, "%s %s\n%s", r.paint("FAIL", red), name, res.text(r.paint))
}

// end tells how many passed, and writes the file for JUnit.
func (r *report) end() error {
	fmt.Fprintf(r.o.Out, "%d passed, %d failed", r.passed, r.failed)
	if r.updated > 0 {
		fmt.Fprintf(r.o.Out, ", %d updated", r.updated)
	}
	fmt.Fprintln(r.o.Out)
	if r.o.JUnit != "" {
		if err := writeJUnit(r.o.JUnit, r.suites); err != nil {
			return err
		}
	}
	switch {
	case r.failed > 0:
		return ErrFailed
	case r.passed+r.updated == 0:
		return fmt.Errorf("no test is called like %q", r.o.Run)
	}
	return nil
}

// The colours of a terminal.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	plain = "\x1b[0m"
)

func (r *report) paint(text, color string) string {
	if !r.o.Color {
		return text
	}
	return color + text + plain
}

// Text says why a test failed; nothing when it passed.
func (r *Result) Text() string {
	return r.text(func(text, _ string) string { return text })
}

// text says why a test failed.
func (r *Result) text(paint func(text, color string) string) string {
	var b strings.Builder
	if r.Error != "" {
		for line := range strings.Lines(r.Error) {
			b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	for _, d := range r.Diffs {
		d.write(&b, paint)
	}
	return b.String()
}

func (d *difference) write(b *strings.Builder, paint func(text, color string) string) {
	fmt.Fprintf(b, "    %s: %d missing (-), %d not expected (+)\n", d.table, d.missing, d.extra)
	texts := [][]string{d.columns}
	for _, l := range d.lines {
		cells := make([]string, len(l.cells))
		for i, c := range l.cells {
			cells[i] = grid.Cut(grid.Clean(c), widest)
		}
		texts = append(texts, cells)
	}
	widths := grid.Widths(texts, widest)
	for i, cells := range texts {
		mark := byte(' ')
		if i > 0 {
			mark = d.lines[i-1].mark
		}
		var row strings.Builder
		for c, cell := range cells {
			if c > 0 {
				row.WriteString(" | ")
			}
			row.WriteString(grid.Pad(cell, widths[c]))
		}
		text := "      " + string(mark) + " " + strings.TrimRight(row.String(), " ")
		switch mark {
		case '-':
			text = paint(text, red)
		case '+':
			text = paint(text, green)
		}
		b.WriteString(text + "\n")
	}
}

// The form of JUnit, as continuous integration reads it.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	took     time.Duration
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(r *Result) {
	c := junitCase{Name: r.Case.Name, Class: r.File.path, Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
	if !r.Passed() {
		s.Failures++
		c.Failure = &junitFailure{Message: "not as expected", Text: r.text(func(text, _ string) string { return text })}
	}
	s.Tests++
	s.took += r.Took
	s.Time = fmt.Sprintf("%.3f", s.took.Seconds())
	s.Cases = append(s.Cases, c)
}

func writeJUnit(path string, suites []junitSuite) error {
	type all struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []junitSuite
	}
	out, err := xml.MarshalIndent(all{Suites: suites}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	return os.WriteFile(path, append([]byte(xml.Header), append(out, '\n')...), 0o644) //nolint:gosec // other tools read it
}
