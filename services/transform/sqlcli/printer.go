package sqlcli

import (
	"context"
	"encoding/csv"
	stdjson "encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const flushEvery = 100 * time.Millisecond

// printer prints the rows of a query as they come.
type printer struct {
	mode   string
	out    *output
	fields []types.Field
	enc    *json.Encoder
	line   []byte
	last   time.Time
	box    *box // nil: not for a terminal
	limit  int  // 0: none
	rows   int
}

// errLimit ends a query that has given as many rows as were asked for.
var errLimit = errors.New("there are as many rows as were asked for")

func newPrinter(mode string, out *output, fields []types.Field) *printer {
	return &printer{mode: mode, out: out, fields: fields,
		enc: json.NewEncoder(fields, json.Options{PlainDecimals: true, MapNullKeyMode: "LITERAL", MapNullKeyLiteral: "null"})}
}

type columnHeader struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// header prints the columns.
func (p *printer) header() error {
	names := []string{"op"}
	cols := make([]columnHeader, 0, len(p.fields))
	for _, f := range p.fields {
		names = append(names, f.Name)
		cols = append(cols, columnHeader{f.Name, f.Type.String()})
	}
	switch p.mode {
	case "ndjson":
		b, err := stdjson.Marshal(map[string]any{"columns": cols})
		if err != nil {
			return err
		}
		p.out.Println(b)
	case "csv":
		p.csv(names)
	default:
		if p.box != nil {
			return nil
		}
		p.out.Println([]byte(p.row(names)))
		p.out.Println([]byte(strings.Repeat("-", utf8.RuneCountInString(p.row(names)))))
	}
	return nil
}

// Write prints rows.
func (p *printer) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		if p.limit > 0 && p.rows >= p.limit {
			return errLimit
		}
		p.rows++
		if p.mode == "ndjson" {
			if err := p.ndjson(b, i); err != nil {
				return err
			}
			continue
		}
		row := make([]*string, len(b.Cols))
		for c, col := range b.Cols {
			if !col.IsNull(i) {
				s := string(eval.AppendText(nil, col, i, time.UTC))
				row[c] = &s
			}
		}
		p.texts(b.Kind(i).String(), row)
	}
	if p.limit > 0 && p.rows >= p.limit {
		return errLimit
	}
	return nil
}

func (p *printer) ndjson(b *column.Batch, i int) error {
	p.line = append(append(append(p.line[:0], `{"op":"`...), b.Kind(i).String()...), `","row":[`...)
	for c, col := range b.Cols {
		if c > 0 {
			p.line = append(p.line, ',')
		}
		var err error
		if p.line, err = p.enc.AppendValue(p.line, col, i); err != nil {
			return err
		}
	}
	p.line = append(p.line, "]}"...)
	p.out.Println(p.line)
	return nil
}

// texts prints a row whose values are already text; nil is NULL.
func (p *printer) texts(op string, row []*string) {
	cells := []string{op}
	for _, v := range row {
		switch {
		case v != nil:
			cells = append(cells, *v)
		case p.mode == "csv":
			cells = append(cells, "")
		default:
			cells = append(cells, "<NULL>")
		}
	}
	switch p.mode {
	case "csv":
		p.csv(cells)
	case "ndjson":
		b, err := stdjson.Marshal(map[string]any{"op": op, "row": row})
		if err == nil {
			p.out.Println(b)
		}
	default:
		if p.box != nil {
			p.box.row(cells)
			return
		}
		p.out.Println([]byte(p.row(cells)))
	}
}

func (p *printer) csv(cells []string) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(cells) // a strings.Builder takes everything
	w.Flush()
	p.out.Println([]byte(strings.TrimSuffix(b.String(), "\n")))
}

// row lays cells out in columns whose width follows from the type, because rows
// are printed before the next is known.
func (p *printer) row(cells []string) string {
	var b strings.Builder
	for i, c := range cells {
		width := 2
		if i > 0 {
			width = widthOf(p.fields[i-1])
		}
		if i > 0 {
			b.WriteString(" | ")
		}
		if n := utf8.RuneCountInString(c); n < width && i < len(cells)-1 {
			c += strings.Repeat(" ", width-n)
		}
		b.WriteString(strings.ReplaceAll(c, "\n", "\\n"))
	}
	return b.String()
}

func widthOf(f types.Field) int {
	width := 24
	switch k := f.Type.Kind; k {
	case types.Boolean:
		width = 6
	case types.TinyInt, types.SmallInt:
		width = 6
	case types.Int:
		width = 11
	case types.BigInt:
		width = 20
	case types.Date:
		width = 10
	case types.Time:
		width = 12
	}
	return max(width, utf8.RuneCountInString(f.Name))
}

// Poll shows what has been printed.
func (p *printer) Poll(now time.Time) error {
	if p.box != nil {
		p.box.poll(now)
	}
	if now.Sub(p.last) < flushEvery {
		return nil
	}
	p.last = now
	return p.out.flush()
}

// Flush shows everything.
func (p *printer) Flush(context.Context) error { return p.out.flush() }

// end shows what is left when no more rows come.
func (p *printer) end() error {
	if p.box != nil {
		p.box.end()
	}
	return p.out.flush()
}

// Close does nothing.
func (p *printer) Close() error { return nil }
