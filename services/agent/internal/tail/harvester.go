package tail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// reason says why a harvester ended.
type reason int

const (
	stopped reason = iota
	closedEOF
	closedInactive
	closedTimeout
	closedRemoved
	closedRenamed
	failed
)

// harvester reads one file.
type harvester struct {
	in       *Input
	consumer Consumer
	id       registry.ID
	file     *os.File
	path     string
	entry    *registry.Entry
	prefix   registry.Sum
	win      window
	cut      *cutter
	wake     chan struct{}
	watching []string // used by the input's goroutine only
	ended    reason

	lastData time.Time
	// What the file looked like when its end was last reached.
	size    int64
	modTime time.Time
}

// open checks that the file is what the entry says and goes to its position; if
// not, the file is read from the start as a new incarnation.
func (h *harvester) open(at registry.Position) error {
	first := make([]byte, 2)
	n, err := h.file.ReadAt(first, 0)
	if n == 0 && err != nil && !errors.Is(err, os.ErrClosed) && !isEOF(err) {
		return fmt.Errorf("read %s: %w", h.path, err)
	}
	if h.cut, err = newCutter(&h.in.opts, first[:n]); err != nil {
		return err
	}
	if h.entry != nil && !h.matches(at) {
		h.in.count.Rewritten()
		h.entry, at = nil, registry.Position{}
	}
	h.prefix = at.Prefix
	if err := h.win.seek(h.file, at.Offset); err != nil {
		if !errors.Is(err, errRewritten) {
			return err
		}
		h.entry, h.prefix = nil, registry.Sum{}
		if err := h.win.seek(h.file, 0); err != nil {
			return err
		}
	}
	if h.entry != nil {
		h.consumer.Begin(h.entry, h.path)
	}
	return nil
}

// matches says whether the file still begins as it did and has the same bytes
// before the offset.
func (h *harvester) matches(at registry.Position) bool {
	prefix, err := sumAt(h.file, 0, at.Prefix.Length)
	if err != nil || prefix != at.Prefix {
		return false
	}
	if at.Tail.Length == 0 {
		info, err := h.file.Stat()
		return err == nil && info.Size() >= at.Offset
	}
	tail, err := sumAt(h.file, at.Offset-int64(at.Tail.Length), at.Tail.Length)
	return err == nil && tail == at.Tail
}

// run reads until the file is closed for a reason.
func (h *harvester) run(ctx context.Context) (reason, error) {
	h.lastData = time.Now()
	opened, backoff := time.Now(), h.in.opts.BackoffMin
	for {
		n, err := h.read()
		switch {
		case errors.Is(err, errRewritten):
			if err := h.restart(ctx); err != nil {
				return stopped, err
			}
			continue
		case err != nil:
			return failed, err
		case n > 0:
			h.lastData, backoff = time.Now(), h.in.opts.BackoffMin
			if err := h.take(ctx); err != nil {
				return stopped, err
			}
			if h.in.opts.CloseTimeout > 0 && time.Since(opened) >= h.in.opts.CloseTimeout {
				return closedTimeout, nil
			}
			continue
		}
		h.win.release()
		if why, done := h.atEnd(opened); done {
			return why, h.finish(ctx, why)
		}
		if err := h.sleep(ctx, opened, backoff); err != nil {
			return stopped, err
		}
		backoff = min(2*backoff, max(h.in.opts.BackoffMax, h.in.opts.BackoffMin))
	}
}

// read reads more, unless the file looks as it did when its end was reached.
func (h *harvester) read() (int, error) {
	info, err := h.file.Stat()
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", h.path, err)
	}
	if info.Size() == h.size && h.size == h.win.end() && info.ModTime().Equal(h.modTime) {
		return 0, nil
	}
	n, err := h.win.fill()
	if n == 0 && err == nil && time.Since(info.ModTime()) > time.Second {
		// A change from now on shows in the time, which some file systems count in steps.
		h.size, h.modTime = info.Size(), info.ModTime()
	}
	return n, err
}

// take makes lines of what was read.
func (h *harvester) take(ctx context.Context) error {
	if h.entry == nil {
		if err := h.begin(ctx); err != nil {
			return err
		}
	}
	if h.win.base == 0 && h.win.start == 0 && h.in.opts.Charset.BOM {
		h.skipMark()
	}
	h.cut.cut(&h.win, h.consumer)
	return h.commit(ctx)
}

// skipMark leaves the byte order mark out, and reads the byte order off it.
func (h *harvester) skipMark() {
	if b := h.win.buf[:h.win.n]; len(b) >= 2 && (b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe) {
		if c, err := newCutter(&h.in.opts, b[:2]); err == nil {
			h.cut = c
		}
		h.win.start = 2
	}
}

// begin makes an entry for a new incarnation. While the registry can't be
// written, nothing of the file is sent.
func (h *harvester) begin(ctx context.Context) error {
	h.extendPrefix()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		e, err := h.in.registry.Create(h.id, h.path, registry.Position{Prefix: h.prefix})
		if err == nil {
			h.entry = e
			h.consumer.Begin(e, h.path)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (h *harvester) commit(ctx context.Context) error {
	if h.prefix.Length < registry.MaxPrefix {
		h.extendPrefix()
	}
	start := h.win.position()
	if h.cut.long != nil {
		start = h.cut.longStart
	}
	safe := h.consumer.Safe(start)
	tail, err := h.win.tail(safe)
	if err != nil {
		tail = registry.Sum{} // the file has just been cut: the next read sees it
	}
	return h.consumer.Commit(ctx, registry.Position{Offset: safe, Tail: tail, Prefix: h.prefix})
}

func (h *harvester) extendPrefix() {
	length := int(min(registry.MaxPrefix, h.win.end()))
	if length <= h.prefix.Length {
		return
	}
	if h.win.buf != nil && h.win.base == 0 {
		h.prefix = registry.SumOf(h.win.buf[:length])
		return
	}
	if sum, err := sumAt(h.file, 0, length); err == nil {
		h.prefix = sum
	}
}

// restart begins anew at the start of a file that was cut or written anew.
func (h *harvester) restart(ctx context.Context) error {
	h.in.count.Rewritten()
	if h.entry != nil { // what was read of the old content is complete
		h.consumer.Expire(time.Now(), true)
		if err := h.commit(ctx); err != nil {
			return err
		}
	}
	h.win.release()
	h.entry, h.prefix = nil, registry.Sum{}
	h.cut.reset()
	return h.win.seek(h.file, 0)
}

// atEnd decides at the end of the file whether to close it.
func (h *harvester) atEnd(opened time.Time) (reason, bool) {
	o := &h.in.opts
	now := time.Now()
	switch {
	case o.Once, o.CloseEOF:
		return closedEOF, true
	case o.CloseTimeout > 0 && now.Sub(opened) >= o.CloseTimeout:
		return closedTimeout, true
	case o.CloseInactive > 0 && now.Sub(h.lastData) >= o.CloseInactive:
		return closedInactive, true
	}
	info, err := h.file.Stat()
	if err != nil {
		return failed, true
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Nlink == 0 {
		// Gone from every folder: nobody but a writer that has it open can add to it.
		return closedRemoved, o.CloseRemoved
	}
	if (o.CloseRenamed || o.ByPath) && h.moved() {
		return closedRenamed, true
	}
	return stopped, false
}

// moved says whether the path leads elsewhere by now.
func (h *harvester) moved() bool {
	there, err := os.Stat(h.path)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	here, err := h.file.Stat()
	return err == nil && !os.SameFile(there, here)
}

// finish hands over what is complete when a file is closed.
func (h *harvester) finish(ctx context.Context, why reason) error {
	if h.entry == nil {
		return nil
	}
	if h.in.opts.Once || why == closedRemoved || why == closedRenamed {
		h.consumer.Expire(time.Now(), true)
	}
	if err := h.commit(ctx); err != nil {
		return err
	}
	h.consumer.Drop()
	return nil
}

// sleep waits for the file to change, or for a timer.
func (h *harvester) sleep(ctx context.Context, opened time.Time, backoff time.Duration) error {
	o := &h.in.opts
	until := time.Now().Add(max(backoff, time.Millisecond))
	for _, d := range []struct {
		from time.Time
		by   time.Duration
	}{{h.lastData, o.CloseInactive}, {opened, o.CloseTimeout}} {
		if at := d.from.Add(d.by); d.by > 0 && at.Before(until) {
			until = at
		}
	}
	deadline := h.consumer.Deadline()
	if !deadline.IsZero() && deadline.Before(until) {
		until = deadline
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.wake:
	case <-timer.C:
	}
	if now := time.Now(); !deadline.IsZero() && !now.Before(deadline) {
		h.consumer.Expire(now, false)
		return h.commit(ctx)
	}
	return nil
}

// watch asks to be woken when the file changes, under each of its names.
func (h *harvester) watch(path string) {
	names := []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		names = append(names, target)
	}
	for _, name := range names {
		h.in.watcher.WatchDir(filepath.Dir(name), h.in.changed)
		h.in.watcher.WatchFile(name, h.wake)
		h.watching = append(h.watching, name)
	}
}

func (h *harvester) unwatch() {
	for _, name := range h.watching {
		h.in.watcher.ForgetFile(name, h.wake)
	}
	h.watching = nil
}

// currentName is what the kernel calls the open file now.
func currentName(file *os.File) (string, bool) {
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(file.Fd())))
	return name, err == nil && filepath.IsAbs(name)
}
