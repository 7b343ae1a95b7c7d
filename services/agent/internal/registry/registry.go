package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// compactFrom is the size below which the log is left to grow.
const compactFrom = 1 << 20

// steadyAfter is how long writing must have worked to be called mended.
const steadyAfter = 30 * time.Second

// lockWait is how long an agent that is just ending may keep the registry.
const (
	lockWait = time.Second
	lockStep = 20 * time.Millisecond
)

// ErrLocked is returned where another process has the registry open.
var ErrLocked = errors.New("in use by another process")

// Registry is the memory of an agent. Its methods may be called from any goroutine.
type Registry struct {
	dir  string
	mode os.FileMode
	log  *slog.Logger
	lock *os.File

	mu       sync.Mutex
	entries  map[ID]*Entry
	next     uint64
	dirty    []*Entry
	gone     []uint64
	creating *creation // that new entries may join

	fileMu sync.Mutex // held while the file is written; taken before mu
	file   *os.File
	size   int64
	live   int64
	buf    []byte
	fresh  bool
	// failed is set from a failure until writing has worked for a while: small
	// records may find room where large ones do not.
	failed   bool
	failedAt time.Time
}

// Open reads a registry, or makes an empty one.
func Open(dir string, mode os.FileMode, log *slog.Logger) (*Registry, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make registry: %w", err)
	}
	r := &Registry{dir: dir, mode: mode, log: log, entries: map[ID]*Entry{}}
	if err := r.takeLock(); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, r.lock.Close())
	}
	return r, nil
}

func (r *Registry) takeLock() error {
	f, err := os.OpenFile(filepath.Join(r.dir, "lock"), os.O_CREATE|os.O_RDWR, r.mode)
	if err != nil {
		return fmt.Errorf("lock registry: %w", err)
	}
	for wait := lockWait; ; wait -= lockStep {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || wait <= 0 {
			break
		}
		time.Sleep(lockStep)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open registry %s: %w: give each agent its own --path.data", r.dir, ErrLocked), f.Close())
	}
	r.lock = f
	return nil
}

func (r *Registry) logPath() string { return filepath.Join(r.dir, "log") }

func (r *Registry) load() error {
	f, err := os.OpenFile(r.logPath(), os.O_CREATE|os.O_RDWR, r.mode)
	if err != nil {
		return fmt.Errorf("open registry: %w", err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return errors.Join(fmt.Errorf("read registry: %w", err), f.Close())
	}
	r.fresh = len(text) == 0
	good, err := r.replay(text)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if good < int64(len(text)) {
		r.log.Warn("the end of the registry was torn and is dropped; lines sent after the last sync are sent again",
			"dir", r.dir, "bytes", int64(len(text))-good)
	}
	if err := f.Truncate(good); err != nil {
		return errors.Join(fmt.Errorf("mend registry: %w", err), f.Close())
	}
	r.file, r.size = f, good
	if good == 0 {
		return r.append([]byte(magic))
	}
	return nil
}

// replay applies the records and returns how many bytes of the text are good.
func (r *Registry) replay(text []byte) (int64, error) {
	if len(text) < len(magic) && bytes.HasPrefix([]byte(magic), text) {
		return 0, nil // its very first write was torn
	}
	if !bytes.HasPrefix(text, []byte(magic)) {
		return 0, fmt.Errorf("open registry %s: not a registry of this agent", r.logPath())
	}
	byNumber := map[uint64]*Entry{}
	rest := text[len(magic):]
	for len(rest) > 0 {
		body, after, err := nextRecord(rest)
		if err != nil || !r.apply(body, byNumber) {
			break
		}
		rest = after
	}
	for _, e := range byNumber {
		r.live += int64(len(appendPut(r.buf[:0], e)))
	}
	return int64(len(text) - len(rest)), nil
}

func (r *Registry) apply(body []byte, byNumber map[uint64]*Entry) bool {
	in := reader{b: body[1:]}
	number := in.uint()
	switch body[0] {
	case kindPut:
		e := &Entry{number: number}
		e.ID.Input, e.ID.Device, e.ID.Inode, e.ID.Path = in.text(), in.uint(), in.uint(), in.text()
		e.FileID, e.Path = in.text(), in.text()
		in.position(e)
		if in.err != nil {
			return false
		}
		if old := r.entries[e.ID]; old != nil {
			delete(byNumber, old.number)
		}
		r.entries[e.ID], byNumber[number] = e, e
		r.next = max(r.next, number+1)
	case kindAdvance:
		var moved Entry
		in.position(&moved)
		if in.err != nil {
			return false
		}
		if e := byNumber[number]; e != nil {
			e.Position, e.Updated = moved.Position, moved.Updated
		}
	case kindRemove:
		if e := byNumber[number]; e != nil && in.err == nil {
			delete(byNumber, number)
			delete(r.entries, e.ID)
		}
	default:
		return false
	}
	return in.err == nil
}

// Fresh says whether the registry was empty when it was opened: the first start.
func (r *Registry) Fresh() bool { return r.fresh }

// Lookup finds the entry of a file. The entry's position must be read with
// PositionOf.
func (r *Registry) Lookup(id ID) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries[id]
}

// PositionOf reads an entry's position.
func (r *Registry) PositionOf(e *Entry) Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return e.Position
}

// Snapshot lists the entries as they are now.
func (r *Registry) Snapshot() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Entry, 0, len(r.entries))
	for _, e := range r.entries {
		out = append(out, *e)
	}
	return out
}

// Len counts the entries.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

// Advance moves an entry; the next Flush writes it.
func (r *Registry) Advance(e *Entry, to Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.removed {
		return
	}
	if to.Prefix.Length == 0 {
		to.Prefix = e.Prefix
	}
	e.Position, e.Updated = to, time.Now()
	if !e.dirty {
		e.dirty = true
		r.dirty = append(r.dirty, e)
	}
}

// Remove forgets a file, unless it has moved on since it was looked at.
func (r *Registry) Remove(id ID, fileID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[id]
	if e == nil || e.FileID != fileID {
		return
	}
	e.removed = true
	delete(r.entries, id)
	r.gone = append(r.gone, e.number)
}

// Flush writes what has changed, and syncs.
func (r *Registry) Flush() error {
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	r.mu.Lock()
	r.buf = r.buf[:0]
	dirty, gone := r.dirty, r.gone
	r.dirty, r.gone = nil, nil
	for _, e := range dirty {
		e.dirty = false
		if !e.removed {
			r.buf = appendAdvance(r.buf, e)
		}
	}
	for _, n := range gone {
		r.buf = appendRemove(r.buf, n)
	}
	r.mu.Unlock()
	if len(r.buf) == 0 {
		return nil
	}
	if err := r.append(r.buf); err != nil {
		r.restore(dirty, gone)
		return err
	}
	if r.size > compactFrom && r.size > 4*r.live {
		return r.compact()
	}
	return nil
}

// restore marks as changed what could not be written.
func (r *Registry) restore(dirty []*Entry, gone []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = append(r.gone, gone...)
	for _, e := range dirty {
		if !e.dirty && !e.removed {
			e.dirty = true
			r.dirty = append(r.dirty, e)
		}
	}
}

// Close writes what is left and lets go of the files.
func (r *Registry) Close() error {
	err := r.Flush()
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	return errors.Join(err, r.file.Close(), r.lock.Close())
}
