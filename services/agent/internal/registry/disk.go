package registry

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// append writes and syncs; a write that fails half-way is taken back.
func (r *Registry) append(b []byte) error {
	_, err := r.file.WriteAt(b, r.size)
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		_ = r.file.Truncate(r.size) // else the next open drops it
		r.failedAt = time.Now()
		if !r.failed {
			r.failed = true
			r.log.Error("the registry can't be written; sending goes on where it can, positions are kept in memory, and writing is tried again", "dir", r.dir, "error", err)
		}
		return fmt.Errorf("write registry: %w", err)
	}
	if r.failed && time.Since(r.failedAt) > steadyAfter {
		r.failed = false
		r.log.Info("the registry can be written again", "dir", r.dir)
	}
	r.size += int64(len(b))
	return nil
}

// compact writes the live entries to a new file, which takes the old one's name.
func (r *Registry) compact() error {
	r.mu.Lock()
	buf := append(make([]byte, 0, r.live+int64(len(magic))), magic...)
	for _, e := range r.entries {
		buf = appendPut(buf, e)
	}
	r.mu.Unlock()
	name := r.logPath() + ".new"
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, r.mode)
	if err != nil {
		return fmt.Errorf("compact registry: %w", err)
	}
	_, err = f.Write(buf)
	err = errors.Join(err, f.Sync())
	if err == nil {
		err = os.Rename(name, r.logPath())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compact registry: %w", err), f.Close(), os.Remove(name))
	}
	if err := syncDir(r.dir); err != nil {
		r.log.Warn("the registry's directory could not be synced", "dir", r.dir, "error", err)
	}
	old := r.file
	r.file, r.size, r.live = f, int64(len(buf)), int64(len(buf))
	return old.Close()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
