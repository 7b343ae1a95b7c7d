package sqlcli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// descriptor returns the file that a reader or writer is; ok tells whether it is one.
func descriptor(v any) (fd int, ok bool) {
	f, ok := v.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), true
}

// terminal reports whether a terminal is attached.
func terminal(v any) bool {
	fd, ok := descriptor(v)
	return ok && term.IsTerminal(fd)
}

// colored reports whether colours can be shown and are wanted.
func colored(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// columnsOf is how wide a terminal is; 0 when it is none.
func columnsOf(w io.Writer) int {
	fd, ok := descriptor(w)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		return 0
	}
	return width
}
