// Package grid lays texts out in columns of a terminal, where some characters are
// two cells wide and some none.
package grid

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Width is how many cells of a terminal a text takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// Clean makes a text fit for one line: what would move the cursor is spelled out.
func Clean(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case control(r):
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// Pad fills a text with blanks to a width.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// PadLeft puts blanks in front of a text.
func PadLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-Width(s))) + s
}

// Cut shortens a text to a width, with a sign that it was cut.
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	var b strings.Builder
	left, state := width-1, -1
	for rest := s; rest != ""; {
		var c string
		var w int
		c, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if w > left {
			break
		}
		left -= w
		b.WriteString(c)
	}
	return b.String() + "…"
}

// Widths are the widths that columns of rows need, at most most each.
func Widths(rows [][]string, most int) []int {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(Width(c), most))
		}
	}
	return widths
}
