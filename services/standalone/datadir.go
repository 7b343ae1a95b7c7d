package standalone

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// dataDir is the directory that keeps everything, locked by this process.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory and locks it, so that two processes don't
// write to it.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data directory %s is in use by another weirflow; stop it or choose another with --data-dir", path)
		}
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return &dataDir{path: path, lock: f}, nil
}

func (d *dataDir) in(parts ...string) string {
	return filepath.Join(append([]string{d.path}, parts...)...)
}

func (d *dataDir) close() { _ = d.lock.Close() }

// instance returns the name of this Weirflow among others on the same Kafka: it is
// made once, so that after a restart it has its jobs back at once.
func (d *dataDir) instance() (string, error) {
	file := d.in("instance")
	b, err := os.ReadFile(file)
	if err == nil {
		if name := strings.TrimSpace(string(b)); name != "" {
			return name, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the name of this instance: %w", err)
	}
	name := process.Instance()
	if err := os.WriteFile(file, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the name of this instance: %w", err)
	}
	return name, nil
}

// password returns the search store's password: the one that is configured, or
// the one that is kept, or a new one. fresh tells that it was made just now.
func (d *dataDir) password(configured secret.String) (p secret.String, fresh bool, err error) {
	if configured != "" {
		return configured, false, nil
	}
	file := d.in("search-password")
	b, err := os.ReadFile(file)
	if err == nil {
		if text := strings.TrimSpace(string(b)); text != "" {
			return secret.String(text), false, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", false, fmt.Errorf("read the search store's password: %w", err)
	}
	p = secret.String(rand.Text()[:20])
	if err := os.WriteFile(file, []byte(p.Reveal()+"\n"), 0o600); err != nil {
		return "", false, fmt.Errorf("keep the search store's password: %w", err)
	}
	return p, true, nil
}
