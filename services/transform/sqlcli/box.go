package sqlcli

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/grid"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	// widest is how wide a column may be when there is room.
	widest = 60
	// narrowest is how wide a column must at least be, if it has so much to show.
	narrowest = 6
	// settleRows are looked at before the widths of columns are fixed.
	settleRows = 200
)

// box draws rows for a terminal. The first rows tell how wide the columns are; what
// does not fit is cut. Where not even that fits, each row is a list of its columns.
type box struct {
	out     *output
	head    []string
	right   []bool
	width   int // of the terminal
	waiting [][]string
	since   time.Time // when the first row came
	widths  []int
	list    bool
	drawn   int
}

func newBox(out *output, names []string, fields []types.Field, width int) *box {
	b := &box{out: out, head: make([]string, len(names)), right: make([]bool, len(names)), width: width}
	for i, n := range names {
		b.head[i] = grid.Clean(n)
	}
	for i, f := range fields {
		at := len(names) - len(fields) + i
		b.right[at] = f.Type.Kind.IsNumeric()
	}
	return b
}

// row adds a row.
func (b *box) row(cells []string) {
	clean := make([]string, len(cells))
	for i, c := range cells {
		clean[i] = grid.Clean(c)
	}
	if b.widths != nil {
		b.draw(clean)
		return
	}
	if len(b.waiting) == 0 {
		b.since = time.Now()
	}
	if b.waiting = append(b.waiting, clean); len(b.waiting) >= settleRows {
		b.settle()
	}
}

// poll draws rows that have waited for others.
func (b *box) poll(now time.Time) {
	if b.widths == nil && len(b.waiting) > 0 && now.Sub(b.since) >= flushEvery {
		b.settle()
	}
}

// settle fixes the widths and draws what waits.
func (b *box) settle() {
	b.widths = grid.Widths(append([][]string{b.head}, b.waiting...), widest)
	b.fit()
	if !b.list {
		b.rule()
		b.line(b.head, nil)
		b.rule()
	}
	for _, r := range b.waiting {
		b.draw(r)
	}
	b.waiting = nil
}

// fit takes width from the widest columns until all fit.
func (b *box) fit() {
	for {
		total, at := 1, 0
		for i, w := range b.widths {
			total += w + 3
			if w > b.widths[at] {
				at = i
			}
		}
		if total <= b.width || b.width <= 0 {
			return
		}
		if b.widths[at] <= narrowest {
			b.list = true
			return
		}
		b.widths[at]--
	}
}

func (b *box) rule() {
	var s strings.Builder
	for _, w := range b.widths {
		s.WriteString("+" + strings.Repeat("-", w+2))
	}
	b.out.Println([]byte(s.String() + "+"))
}

func (b *box) line(cells []string, right []bool) {
	var s strings.Builder
	for i, c := range cells {
		c = grid.Cut(c, b.widths[i])
		if right != nil && right[i] {
			c = grid.PadLeft(c, b.widths[i])
		}
		s.WriteString("| " + grid.Pad(c, b.widths[i]) + " ")
	}
	b.out.Println([]byte(s.String() + "|"))
}

func (b *box) draw(cells []string) {
	b.drawn++
	if !b.list {
		b.line(cells, b.right)
		return
	}
	names := grid.Widths([][]string{{""}}, widest)[0]
	for _, h := range b.head {
		names = max(names, min(grid.Width(h), b.width/2))
	}
	b.out.Println([]byte(grid.Cut(fmt.Sprintf("-[ %d ]%s", b.drawn, strings.Repeat("-", max(0, b.width-8))), max(b.width, 8))))
	for i, c := range cells {
		name := grid.Pad(grid.Cut(b.head[i], names), names)
		b.out.Println([]byte(name + " | " + grid.Cut(c, max(b.width-names-3, narrowest))))
	}
}

// end draws what is left.
func (b *box) end() {
	if b.widths == nil {
		b.settle()
	}
	if !b.list {
		b.rule()
	}
}
