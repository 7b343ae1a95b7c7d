package tail

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// Counter counts what happens to files.
type Counter interface {
	Opened()
	Closed()
	Rewritten()
	Failed()
}

// Deps are what an input works with.
type Deps struct {
	Registry *registry.Registry
	Watcher  *Watcher
	Log      *slog.Logger
	Count    Counter
	Claims   *Claims
	// Consumer makes the consumer of a file.
	Consumer func() Consumer
}

// Input reads the files that its paths match.
type Input struct {
	opts     Options
	registry *registry.Registry
	watcher  *Watcher
	log      *slog.Logger
	count    Counter
	claims   *Claims
	consumer func() Consumer
	chunks   chunks

	patterns []string
	changed  chan struct{}
	ended    chan *harvester
	wg       sync.WaitGroup

	files map[registry.ID]*known
	said  map[string]bool // what has been complained about
	first bool
	// scanned is when the last scan ended.
	scanned time.Time
}

// known is what the input remembers of a file while it runs.
type known struct {
	path    string
	entry   *registry.Entry
	at      registry.Position // up to where has been read, when it was last closed
	running *harvester
	size    int64
	modTime time.Time
	missing time.Time
	ignored bool
	retry   bool
	awaited string // the path under which a change has a scan made
}

// NewInput makes an input; Run starts it.
func NewInput(o Options, d Deps) *Input {
	in := &Input{
		opts: o, registry: d.Registry, watcher: d.Watcher, log: d.Log, count: d.Count, claims: d.Claims, consumer: d.Consumer,
		changed: make(chan struct{}, 1), ended: make(chan *harvester),
		files: map[registry.ID]*known{}, said: map[string]bool{}, first: true,
	}
	for _, p := range o.Paths {
		in.patterns = append(in.patterns, expand(p, o.Recursive)...)
	}
	return in
}

// Run scans and reads until the context ends, or, with Once, until all files
// have been read.
func (in *Input) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer in.wait(cancel)
	ticker := time.NewTicker(in.opts.ScanEvery)
	defer ticker.Stop()
	in.scan(ctx)
	for in.running() > 0 || !in.opts.Once {
		select {
		case <-ctx.Done():
			return
		case h := <-in.ended:
			in.close(h)
		case <-in.changed:
			in.settle(ctx)
			in.scan(ctx)
		case <-ticker.C:
			in.scan(ctx)
		}
	}
}

// settle lets a burst of changes, such as a rotation, come to its end, and keeps
// scans apart.
func (in *Input) settle(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(max(5*time.Millisecond, 50*time.Millisecond-time.Since(in.scanned))):
	}
	select {
	case <-in.changed:
	default:
	}
}

// wait stops the harvesters and waits for them.
func (in *Input) wait(cancel context.CancelFunc) {
	cancel()
	done := make(chan struct{})
	go func() { in.wg.Wait(); close(done) }()
	for {
		select {
		case h := <-in.ended:
			in.close(h)
		case <-done:
			return
		}
	}
}

func (in *Input) running() int {
	n := 0
	for _, k := range in.files {
		if k.running != nil {
			n++
		}
	}
	return n
}

// start opens a file and reads it from where it was left.
func (in *Input) start(ctx context.Context, id registry.ID, k *known) {
	file, err := os.Open(k.path)
	if err != nil {
		in.complain(k.path, err)
		k.retry = true
		return
	}
	if !isFile(file, id) {
		k.retry = true
		in.shut(file)
		in.lookAgain()
		return
	}
	h := &harvester{in: in, consumer: in.consumer(), id: id, file: file, path: k.path, entry: k.entry, wake: make(chan struct{}, 1)}
	h.win.lender = &in.chunks
	if err := h.open(k.at); err != nil {
		in.complain(k.path, err)
		k.retry = true
		in.shut(file)
		return
	}
	delete(in.said, k.path)
	k.running, k.retry = h, false
	in.forgetAwaited(k)
	h.watch(k.path)
	in.count.Opened()
	in.wg.Go(func() {
		why, err := h.run(ctx)
		h.ended = why
		if why == failed && err != nil {
			in.log.Error("a file can't be read; it is tried again", "path", h.path, "error", err)
			in.count.Failed()
		}
		in.ended <- h
	})
}

// isFile says whether an open file is the one that was found under its name:
// the name may have passed to another one meanwhile.
func isFile(file *os.File, id registry.ID) bool {
	if id.Path != "" {
		return true
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Dev == id.Device && st.Ino == id.Inode
}

// lookAgain has another scan made soon.
func (in *Input) lookAgain() {
	select {
	case in.changed <- struct{}{}:
	default:
	}
}

// close takes note of how far a harvester came.
func (in *Input) close(h *harvester) {
	defer in.shut(h.file)
	h.unwatch()
	in.count.Closed()
	k := in.files[h.id]
	if k == nil || k.running != h {
		return
	}
	k.running, k.entry = nil, h.entry
	at := h.win.position()
	if h.cut.long != nil {
		at = h.cut.longStart
	}
	at = h.consumer.Safe(at)
	h.consumer.Drop()
	tail, err := h.win.tail(at)
	if err != nil {
		tail = registry.Sum{}
	}
	k.at = registry.Position{Offset: at, Tail: tail, Prefix: h.prefix}
	k.size = h.win.end() // not what the file has by now: that may be more
	if info, err := h.file.Stat(); err == nil {
		k.modTime = info.ModTime()
	}
	if h.ended == closedRemoved && in.opts.CleanRemoved && k.entry != nil {
		in.registry.Remove(h.id, k.entry.FileID) // the inode is free for another file
		delete(in.files, h.id)
		in.claims.release(h.id)
	}
}

func (in *Input) shut(file *os.File) {
	if err := file.Close(); err != nil {
		in.log.Debug("close a file", "path", file.Name(), "error", err)
	}
}

// complain says once what is wrong with a file.
func (in *Input) complain(path string, err error) {
	if errors.Is(err, os.ErrNotExist) || in.said[path] {
		return
	}
	in.said[path] = true
	in.count.Failed()
	in.log.Error("a file can't be read; others go on, and it is tried again", "path", path, "error", err)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
