package tail

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// maxWatches bounds the folders that are watched; the others are polled.
const maxWatches = 8192

// Watcher wakes those who wait for changes, as far as the kernel tells of them.
// Where it does not, everything still works, by polling.
type Watcher struct {
	log *slog.Logger
	fs  *fsnotify.Watcher

	mu    sync.Mutex
	dirs  map[string]map[chan<- struct{}]bool // who wants to know of files that come and go
	files map[string]map[chan<- struct{}]bool // who waits for a file to grow
	full  bool
}

// NewWatcher makes a watcher. If the kernel offers none, it is one that never wakes.
func NewWatcher(log *slog.Logger) *Watcher {
	w := &Watcher{log: log, dirs: map[string]map[chan<- struct{}]bool{}, files: map[string]map[chan<- struct{}]bool{}}
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the kernel can't tell of changes; files are polled", "error", err)
		return w
	}
	w.fs = fs
	return w
}

// Run passes events on until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.fs == nil {
		return
	}
	defer func() { _ = w.fs.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case ev, ok := <-w.fs.Events:
			if !ok {
				return
			}
			w.dispatch(ev)
		case err, ok := <-w.fs.Errors:
			if !ok {
				return
			}
			w.log.Debug("a change may have been missed", "error", err)
			w.wakeAll()
		}
	}
}

func (w *Watcher) dispatch(ev fsnotify.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wake(w.files[ev.Name])
	if ev.Op&(fsnotify.Create|fsnotify.Rename|fsnotify.Remove) != 0 {
		wake(w.dirs[filepath.Dir(ev.Name)])
		wake(w.dirs[ev.Name])
	}
	if ev.Op&(fsnotify.Rename|fsnotify.Remove) != 0 && w.dirs[ev.Name] != nil {
		delete(w.dirs, ev.Name) // the watch went with the folder; a scan makes a new one
	}
}

func (w *Watcher) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.files {
		wake(m)
	}
	for _, m := range w.dirs {
		wake(m)
	}
}

func wake(waiters map[chan<- struct{}]bool) {
	for c := range waiters {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// WatchDir wakes the channel when a file in the folder comes or goes.
func (w *Watcher) WatchDir(dir string, c chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fs == nil || w.dirs[dir][c] {
		return
	}
	if w.dirs[dir] == nil {
		if len(w.dirs) >= maxWatches {
			w.sayFull()
			return
		}
		if err := w.fs.Add(dir); err != nil {
			w.log.Debug("a folder can't be watched; it is polled", "dir", dir, "error", err)
			return
		}
		w.dirs[dir] = map[chan<- struct{}]bool{}
	}
	w.dirs[dir][c] = true
}

func (w *Watcher) sayFull() {
	if !w.full {
		w.full = true
		w.log.Warn("too many folders to watch; the others are polled", "watched", len(w.dirs))
	}
}

// ForgetDir undoes WatchDir: the folder is gone.
func (w *Watcher) ForgetDir(dir string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dirs[dir] != nil {
		delete(w.dirs, dir)
		_ = w.fs.Remove(dir)
	}
}

// WatchFile wakes the channel when the file changes, as long as its folder is watched.
func (w *Watcher) WatchFile(path string, c chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.files[path] == nil {
		w.files[path] = map[chan<- struct{}]bool{}
	}
	w.files[path][c] = true
}

// ForgetFile undoes WatchFile.
func (w *Watcher) ForgetFile(path string, c chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.files[path], c); len(w.files[path]) == 0 {
		delete(w.files, path)
	}
}
