package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// table is aligned columns for people.
type table struct {
	w *tabwriter.Writer
}

func newTable(out io.Writer, columns ...string) *table {
	t := &table{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

// row writes a row; what would break the table or the terminal is left out.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = clean(c)
	}
	_, _ = fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t")) // end tells
}

func (t *table) end() error { return t.w.Flush() }

// clean puts text that others wrote on one line, without what a terminal would obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0):
			return -1
		default:
			return r
		}
	}, s)
}

// print writes an answer as the flags want it: people's form by show, or JSON or YAML.
func (f *flags) print(out io.Writer, m proto.Message, show func(io.Writer) error) error {
	if f.output == "table" {
		return show(out)
	}
	text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return err
	}
	return f.printJSON(out, text)
}

// printJSON writes JSON as it is read well, or as YAML.
func (f *flags) printJSON(out io.Writer, text []byte) error {
	var err error
	var b bytes.Buffer
	if f.output == "yaml" {
		if text, err = yaml.JSONToYAML(text); err != nil {
			return err
		}
		b.Write(text)
	} else if err = json.Indent(&b, text, "", "  "); err != nil {
		return err
	} else {
		b.WriteByte('\n')
	}
	_, err = out.Write(b.Bytes())
	return err
}

// ago is how long ago something was.
func (f *flags) ago(at *timestamppb.Timestamp) string {
	if at == nil || at.AsTime().Unix() <= 0 {
		return "-"
	}
	return brief(f.now().Sub(at.AsTime())) + " ago"
}

// brief is a duration in one or two units.
func brief(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d/time.Minute), int(d%time.Minute/time.Second))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d/time.Hour), int(d%time.Hour/time.Minute))
	default:
		return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
	}
}

// count groups the digits of a number.
func count[N int | int32 | int64 | uint64](n N) string {
	s := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size is a number of bytes in binary units.
func size(n int64) string {
	const step = 1024
	v, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for v >= step && i < len(units)-1 {
		v /= step
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// short is the name of an enum's value without what all its values begin with.
func short(value fmt.Stringer, prefix string) string {
	return strings.TrimPrefix(value.String(), prefix)
}
