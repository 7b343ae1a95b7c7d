package elasticsearch

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// indexPart is a piece of an index name: text, or a column with a date pattern.
type indexPart struct {
	text    string
	field   string
	pattern *datum.Pattern
	now     bool
	column  int
}

// parseIndex reads a name such as logs-{level}-{ts|yyyy.MM.dd} or logs-{now()|yyyy}.
func parseIndex(s string) ([]indexPart, error) {
	var parts []indexPart
	for s != "" {
		text, rest, found := strings.Cut(s, "{")
		if text != "" {
			parts = append(parts, indexPart{text: text})
		}
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("%q: a brace is not closed", s)
		}
		name, pattern, dated := strings.Cut(inner, "|")
		p := indexPart{field: strings.TrimSpace(name)}
		p.now = strings.EqualFold(p.field, "now()") || strings.EqualFold(p.field, "current_timestamp")
		switch {
		case p.field == "":
			return nil, fmt.Errorf("%q: a column is missing between the braces", s)
		case dated:
			compiled, err := datum.NewPattern(strings.TrimSpace(pattern))
			if err != nil {
				return nil, err
			}
			p.pattern = compiled
		case p.now:
			return nil, fmt.Errorf("%q: now() needs a date pattern, such as {now()|yyyy.MM.dd}", s)
		}
		parts = append(parts, p)
		s = after
	}
	if len(parts) == 0 {
		return nil, errors.New("the name is empty")
	}
	return parts, nil
}

// bindIndex finds the columns of an index name.
func bindIndex(parts []indexPart, fields []types.Field) error {
	for i := range parts {
		p := &parts[i]
		if p.field == "" || p.now {
			continue
		}
		p.column = -1
		for c, f := range fields {
			if f.Name == p.field {
				p.column = c
				if p.pattern != nil && !f.Type.Kind.IsDatetime() && !f.Type.Kind.IsCharacter() {
					return fmt.Errorf("column %q of the index name is %s, which has no date pattern", p.field, f.Type.Kind)
				}
			}
		}
		if p.column < 0 {
			return fmt.Errorf("the index name refers to column %q, which the table does not have", p.field)
		}
	}
	return nil
}

// appendIndex appends the index name of a row.
func appendIndex(dst []byte, parts []indexPart, cols []*column.Vector, i int, now time.Time) ([]byte, error) {
	for k := range parts {
		p := &parts[k]
		switch {
		case p.field == "":
			dst = append(dst, p.text...)
		case p.now:
			dst = p.pattern.Append(dst, types.TimestampValue{Millis: now.UnixMilli()}, time.UTC)
		case cols[p.column].IsNull(i):
			return dst, fmt.Errorf("column %q of the index name is NULL", p.field)
		case p.pattern == nil:
			dst = eval.AppendText(dst, cols[p.column], i, time.UTC)
		default:
			t, err := timeOf(cols[p.column], i)
			if err != nil {
				return dst, err
			}
			dst = p.pattern.Append(dst, t, time.UTC)
		}
	}
	return dst, nil
}

func timeOf(v *column.Vector, i int) (types.TimestampValue, error) {
	switch v.Type.Kind {
	case types.Date:
		return types.TimestampValue{Millis: v.Ints[i] * datum.MillisPerDay}, nil
	case types.Time:
		return types.TimestampValue{Millis: v.Ints[i]}, nil
	case types.Timestamp, types.TimestampLTZ:
		return v.Time(i), nil
	default:
		t, rest, ok := datum.ParseTimestamp(v.Strs[i], " T")
		if !ok || rest != "" && rest != "Z" {
			return t, fmt.Errorf("%q in the index name's column is no date", v.Strs[i])
		}
		return t, nil
	}
}
