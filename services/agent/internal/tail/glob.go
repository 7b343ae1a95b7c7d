package tail

import (
	"path/filepath"
	"strings"
)

// recursiveLevels is how many folders deep `**` reaches.
const recursiveLevels = 8

// expand replaces the first `**` of a pattern by none to eight `*`.
func expand(pattern string, recursive bool) []string {
	if !recursive {
		return []string{pattern}
	}
	parts := strings.Split(filepath.Clean(pattern), string(filepath.Separator))
	for i, p := range parts {
		if p != "**" {
			continue
		}
		out := make([]string, 0, recursiveLevels+1)
		for n := range recursiveLevels + 1 {
			level := append(append([]string{}, parts[:i]...), strings.Split(strings.Repeat("*/", n), "/")[:n]...)
			level = append(level, parts[i+1:]...)
			joined := strings.Join(level, string(filepath.Separator))
			if joined != "" {
				out = append(out, joined)
			}
		}
		return out
	}
	return []string{pattern}
}

// CheckPattern says whether a path can be used as a pattern.
func CheckPattern(pattern string) error {
	_, err := filepath.Match(pattern, "x")
	return err
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }
