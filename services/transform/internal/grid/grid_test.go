package grid_test

import (
	"slices"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/grid"
)

func TestWidths(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text            string
		width           int
		cut, pad, clean string
	}{
		"ascii":           {"abc", 3, "abc", "abc ", "abc"},
		"wide":            {"世界", 4, "世界", "世界", "世界"},
		"cut in a wide":   {"世界人", 6, "世…", "世界人", "世界人"},
		"combining":       {"e\u0301x", 2, "e\u0301x", "e\u0301x  ", "e\u0301x"},
		"emoji":           {"👩‍👩‍👧", 2, "👩‍👩‍👧", "👩‍👩‍👧  ", "👩‍👩‍👧"},
		"moves":           {"a\tb\nc\r", 3, "a\tb\nc\r", "a\tb\nc\r ", `a\tb\nc\r`},
		"escape sequence": {"\x1b[31mx", 5, "\x1b[31…", "\x1b[31mx", "\uFFFD[31mx"},
		"empty":           {"", 0, "", "    ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := grid.Width(tt.text); got != tt.width {
				t.Errorf("width %d, want %d", got, tt.width)
			}
			if got := grid.Cut(tt.text, 4); got != tt.cut {
				t.Errorf("cut %q, want %q", got, tt.cut)
			}
			if got := grid.Pad(tt.text, 4); got != tt.pad {
				t.Errorf("padded %q, want %q", got, tt.pad)
			}
			if got := grid.Clean(tt.text); got != tt.clean {
				t.Errorf("clean %q, want %q", got, tt.clean)
			}
		})
	}
	if got := grid.PadLeft("世", 4); got != "  世" {
		t.Errorf("padded on the left: %q", got)
	}
	if got := grid.Widths([][]string{{"a", "bbb"}, {"世界世界"}}, 6); !slices.Equal(got, []int{6, 3}) {
		t.Errorf("widths %v", got)
	}
}
