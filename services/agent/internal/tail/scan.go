package tail

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// forgetAfter is how long a file may be missing before its entry goes.
const forgetAfter = time.Minute

// found is a file that a scan has come upon.
type found struct {
	path string
	info os.FileInfo
	id   registry.ID
}

// scan looks for files and sees to it that those with something new are read.
func (in *Input) scan(ctx context.Context) {
	now := time.Now()
	seen := map[registry.ID]bool{}
	for _, f := range in.sorted(in.match()) {
		if seen[f.id] {
			continue // a second name, or a link to it
		}
		seen[f.id] = true
		k := in.files[f.id]
		if k == nil {
			k = in.meet(f, now)
		}
		in.visit(ctx, f, k, now)
	}
	if in.first {
		in.recall(seen)
	}
	for id, k := range in.files {
		if !seen[id] {
			in.miss(ctx, id, k, now)
		} else if in.opts.CleanInactive > 0 && k.running == nil && k.entry != nil && now.Sub(k.modTime) > in.opts.CleanInactive {
			in.registry.Remove(id, k.entry.FileID)
			k.entry, k.ignored = nil, true
		}
	}
	in.first, in.scanned = false, time.Now()
}

// match lists the files of all patterns.
func (in *Input) match() []found {
	var out []found
	for _, pattern := range in.patterns {
		in.watchDirs(pattern)
		names, err := filepath.Glob(pattern)
		if err != nil {
			in.complain(pattern, err)
			continue
		}
		for _, name := range names {
			if f, ok := in.inspect(name, hasMeta(pattern)); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// watchDirs asks to hear of files that appear where the pattern looks.
func (in *Input) watchDirs(pattern string) {
	dirs := []string{filepath.Dir(pattern)}
	if hasMeta(dirs[0]) {
		dirs, _ = filepath.Glob(dirs[0])
		base := pattern
		for hasMeta(base) {
			base = filepath.Dir(base)
		}
		dirs = append(dirs, base)
	}
	for _, d := range dirs {
		in.watcher.WatchDir(d, in.changed)
	}
}

// inspect decides whether a name is a file to read.
func (in *Input) inspect(name string, byPattern bool) (found, bool) {
	if matchesAny(in.opts.Exclude, name) || len(in.opts.Include) > 0 && !matchesAny(in.opts.Include, name) {
		return found{}, false
	}
	info, err := os.Lstat(name)
	if err != nil {
		in.complain(name, err)
		return found{}, false
	}
	if info.Mode()&os.ModeSymlink != 0 {
		if !in.opts.Symlinks {
			return found{}, false
		}
		if info, err = os.Stat(name); err != nil {
			in.complain(name, err)
			return found{}, false
		}
	}
	if !info.Mode().IsRegular() {
		if !byPattern && !in.said[name] {
			in.said[name] = true
			in.log.Warn("a path is no regular file and is skipped", "path", name, "mode", info.Mode().String())
		}
		return found{}, false
	}
	return found{name, info, in.identify(name, info)}, true
}

func (in *Input) identify(name string, info os.FileInfo) registry.ID {
	id := registry.ID{Input: in.opts.Key}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || in.opts.ByPath {
		id.Path = name
	} else {
		id.Device, id.Inode = st.Dev, st.Ino
	}
	return in.claims.claim(id, in)
}

func (in *Input) sorted(files []found) []found {
	var by func(a, b found) int
	switch in.opts.SortBy {
	case "modtime":
		by = func(a, b found) int { return a.info.ModTime().Compare(b.info.ModTime()) }
	case "filename":
		by = func(a, b found) int { return strings.Compare(a.path, b.path) }
	default:
		return files
	}
	slices.SortStableFunc(files, func(a, b found) int {
		if in.opts.Descending {
			return by(b, a)
		}
		return by(a, b)
	})
	return files
}

// meet takes note of a file that was not known.
func (in *Input) meet(f found, now time.Time) *known {
	k := &known{path: f.path, retry: true}
	in.files[f.id] = k
	if k.entry = in.registry.Lookup(f.id); k.entry != nil {
		k.at = in.registry.PositionOf(k.entry)
		return k
	}
	old := in.opts.IgnoreOlder > 0 && now.Sub(f.info.ModTime()) > in.opts.IgnoreOlder
	before := !in.opts.NotBefore.IsZero() && !f.info.ModTime().After(in.opts.NotBefore)
	switch {
	case old && in.opts.IgnoredAtEnd, in.opts.TailFiles && in.first && in.registry.Fresh():
		in.skipTo(f, k)
	case old || before:
		k.ignored, k.retry = true, false
		k.size, k.modTime = f.info.Size(), f.info.ModTime()
	}
	return k
}

// skipTo makes what a file holds count as read.
func (in *Input) skipTo(f found, k *known) {
	file, err := os.Open(f.path)
	if err != nil {
		return // complained about when it is to be read
	}
	defer in.shut(file)
	if !isFile(file, f.id) {
		in.lookAgain()
		return
	}
	size := f.info.Size()
	prefix, err := sumAt(file, 0, int(min(size, registry.MaxPrefix)))
	if err != nil {
		return
	}
	back := min(size, registry.MaxTail)
	tail, err := sumAt(file, size-back, int(back))
	if err != nil {
		return
	}
	k.at = registry.Position{Offset: size, Tail: tail, Prefix: prefix}
	if k.entry, err = in.registry.Create(f.id, f.path, k.at); err != nil {
		k.at, k.entry = registry.Position{}, nil
		return
	}
	k.size, k.modTime, k.retry = size, f.info.ModTime(), false
}

// visit starts reading a file that has something new; for any other it asks to
// be woken when it changes.
func (in *Input) visit(ctx context.Context, f found, k *known, now time.Time) {
	k.missing = time.Time{}
	if k.running != nil {
		if in.opts.ByPath {
			in.visitRunningByPath(f, k)
		}
		return
	}
	k.path = f.path
	if in.due(f, k, now) {
		k.ignored = false
		in.start(ctx, f.id, k)
	}
	if k.running == nil {
		in.await(f, k)
	}
}

// due says whether a file that is not open has to be read.
func (in *Input) due(f found, k *known, now time.Time) bool {
	size, modTime := f.info.Size(), f.info.ModTime()
	if !k.retry && size == k.size && modTime.Equal(k.modTime) {
		return false
	}
	old := in.opts.IgnoreOlder > 0 && now.Sub(modTime) > in.opts.IgnoreOlder
	if size == 0 && k.entry == nil || !k.ignored && k.entry != nil && old && k.at.Offset == size {
		k.size, k.modTime, k.retry = size, modTime, false
		return false
	}
	return in.opts.Limit <= 0 || in.running() < in.opts.Limit
}

// await has a scan made when a file that is not open changes.
func (in *Input) await(f found, k *known) {
	if k.awaited == f.path {
		return
	}
	in.forgetAwaited(k)
	k.awaited = f.path
	in.watcher.WatchFile(f.path, in.changed)
	// It may have changed between the look at it and now.
	if info, err := os.Stat(f.path); err == nil && (info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime())) {
		in.lookAgain()
	}
}

func (in *Input) forgetAwaited(k *known) {
	if k.awaited != "" {
		in.watcher.ForgetFile(k.awaited, in.changed)
		k.awaited = ""
	}
}

// visitRunningByPath notices that another file stands under the name.
func (in *Input) visitRunningByPath(f found, k *known) {
	if here, err := k.running.file.Stat(); err == nil && !os.SameFile(here, f.info) {
		select {
		case k.running.wake <- struct{}{}:
		default:
		}
	}
}

// miss deals with a known file that the patterns no longer match.
func (in *Input) miss(ctx context.Context, id registry.ID, k *known, now time.Time) {
	if k.running != nil {
		// It may have been renamed: changes come under its new name then.
		if name, ok := currentName(k.running.file); ok && !slices.Contains(k.running.watching, name) {
			in.watcher.WatchDir(filepath.Dir(name), in.changed)
			in.watcher.WatchFile(name, k.running.wake)
		}
		select {
		case k.running.wake <- struct{}{}:
		default:
		}
		return
	}
	if k.missing.IsZero() {
		k.missing = now
		in.pursue(ctx, id, k)
		return
	}
	if now.Sub(k.missing) < forgetAfter {
		return
	}
	switch _, err := os.Lstat(k.path); {
	case !in.opts.CleanRemoved || err == nil: // only out of sight
	default:
		if k.entry != nil {
			in.registry.Remove(id, k.entry.FileID)
		}
		in.forgetAwaited(k)
		delete(in.files, id)
		in.claims.release(id)
	}
}

// recall takes up files that an earlier run has read in part and that the
// patterns no longer match, since they were renamed meanwhile.
func (in *Input) recall(seen map[registry.ID]bool) {
	for _, e := range in.registry.Snapshot() {
		if e.ID.Input != in.opts.Key || seen[e.ID] || in.files[e.ID] != nil || in.claims.Taken(e.ID) || !in.matches(e.Path) {
			continue
		}
		in.claims.claim(e.ID, in)
		in.files[e.ID] = &known{path: e.Path, entry: in.registry.Lookup(e.ID), at: e.Position}
	}
}

func (in *Input) matches(path string) bool {
	return slices.ContainsFunc(in.patterns, func(p string) bool { ok, err := filepath.Match(p, path); return ok && err == nil })
}

// pursue reads the rest of a file that was renamed, within its folder, to a name
// that the patterns do not match, before all of it had been read.
func (in *Input) pursue(ctx context.Context, id registry.ID, k *known) {
	if k.entry == nil || in.opts.ByPath || in.opts.CloseRenamed {
		return
	}
	dir := filepath.Dir(k.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // gone with its folder
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() <= k.at.Offset {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Ino == id.Inode && st.Dev == id.Device {
			in.log.Info("a file was renamed before all of it was read; the rest is read under its new name", "was", k.path, "is", e.Name())
			k.path = filepath.Join(dir, e.Name())
			in.start(ctx, id, k)
			return
		}
	}
}

func matchesAny(patterns []*regexp.Regexp, s string) bool {
	for _, p := range patterns {
		if p.MatchString(s) {
			return true
		}
	}
	return false
}
