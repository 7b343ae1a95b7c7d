// Package suggest finds the name that someone meant when they mistyped it.
package suggest

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the known name that is most like the given one, and false
// where none is like it.
func Nearest(name string, known []string) (string, bool) {
	best, score := "", 0.0
	for _, k := range slices.Sorted(slices.Values(known)) {
		if s := levenshtein.Similarity(fold(name), fold(k), nil); s > score {
			best, score = k, s
		}
	}
	return best, score >= 0.6
}

// Hint is `; did you mean "…"?`, or nothing where no known name is near.
func Hint(name string, known []string) string {
	if k, ok := Nearest(name, known); ok {
		return `; did you mean "` + k + `"?`
	}
	return ""
}

func fold(s string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToLower(s))
}
