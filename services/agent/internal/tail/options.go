package tail

import (
	"context"
	"regexp"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/charset"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// Options say what an input reads, and how.
type Options struct {
	// Key keeps this input's entries in the registry apart from others'.
	Key       string
	Paths     []string
	Recursive bool
	Exclude   []*regexp.Regexp
	Include   []*regexp.Regexp
	ScanEvery time.Duration
	// SortBy is empty, "modtime" or "filename".
	SortBy     string
	Descending bool
	Symlinks   bool
	// ByPath tells files apart by their names instead of device and inode.
	ByPath bool

	IgnoreOlder time.Duration
	// IgnoredAtEnd makes what an ignored file holds count as read.
	IgnoredAtEnd bool
	// NotBefore ignores files that were last changed before it, if set.
	NotBefore time.Time
	TailFiles bool

	CloseInactive time.Duration
	CloseTimeout  time.Duration
	CloseRenamed  bool
	CloseRemoved  bool
	CloseEOF      bool
	CleanRemoved  bool
	CleanInactive time.Duration

	BackoffMin time.Duration
	BackoffMax time.Duration
	Limit      int // of open files; 0: none

	Charset    charset.Charset
	Terminator string
	// AutoTerminator takes a carriage return before a line feed for part of the
	// line's end.
	AutoTerminator bool
	MaxBytes       int
	BufferSize     int
	// Once ends the input when all files have been read to their ends.
	Once bool
}

// Line is one line of a file, without its end, decoded.
type Line struct {
	// Offset is where the line begins, End where the next one does.
	Offset, End int64
	// Text is valid until the call returns.
	Text []byte
	// Cut says that the line was longer than could be kept.
	Cut bool
}

// Consumer takes the lines of one file. It is used by one goroutine at a time.
type Consumer interface {
	// Begin says which incarnation the lines that follow belong to.
	Begin(e *registry.Entry, path string)
	// Line takes a line.
	Line(l Line)
	// Safe is up to where everything has been taken in, given that lines were
	// handed over up to end; what comes after it would be read again.
	Safe(end int64) int64
	// Commit passes on what was taken in since the last call, and the position
	// to remember when all of it has been acknowledged. It may wait.
	Commit(ctx context.Context, at registry.Position) error
	// Deadline is when Expire wants to be called; zero for never.
	Deadline() time.Time
	// Expire completes what has waited too long for more lines, or, if final,
	// everything.
	Expire(now time.Time, final bool)
	// Drop forgets what is not complete, since it will be read again.
	Drop()
}
