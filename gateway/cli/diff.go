package cli

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// unified is what changed from one text to another; empty when nothing did.
func unified(oldName, newName, before, after string) string {
	return udiff.Unified(oldName, newName, lined(before), lined(after))
}

// lined is a text whose last line ends.
func lined(s string) string {
	if s == "" {
		return ""
	}
	return strings.TrimRight(cleanLines(s), "\n ") + "\n"
}
