// Package diag holds the error of the SQL front end: what is wrong, where, and
// how to mend it.
package diag

import (
	"fmt"
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Error is a fault in SQL text. Line and Column count from 1.
type Error struct {
	Line, Column int
	Message      string
	Hint         string // how to mend it; may be empty
}

// Error returns the place, the message and the hint on one line.
func (e *Error) Error() string {
	s := e.Message
	if e.Line > 0 {
		s = "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": " + s
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// At returns an error at a place.
func At(pos plan.Pos, format string, args ...any) *Error {
	return &Error{Line: pos.Line, Column: pos.Column, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns the error with a hint.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}
