package notify

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
)

// snapshots writes a state to its file soon after it changed. The Alertmanager does
// so every quarter of an hour.
type snapshots struct {
	path  string
	write func(io.Writer) (int64, error)
	fail  func(error)

	mu    sync.Mutex // held while the file is written
	dirty chan struct{}
}

func newSnapshots(path string, write func(io.Writer) (int64, error), fail func(error)) *snapshots {
	return &snapshots{path: path, write: write, fail: fail, dirty: make(chan struct{}, 1)}
}

// changed has the state written by run.
func (s *snapshots) changed() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// run writes the state whenever it changed, until stop is closed.
func (s *snapshots) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-s.dirty:
			if err := s.save(); err != nil {
				s.fail(err)
				time.AfterFunc(time.Second, s.changed)
			}
		}
	}
}

// save writes the state at once.
func (s *snapshots) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".*")
	if err != nil {
		return err
	}
	_, err = s.write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", s.path, err)
	}
	return syncDir(filepath.Dir(s.path))
}

// sent is the log of what was sent, which is on disk as soon as that can be.
type sent struct {
	log      *nflog.Log
	file     *snapshots
	released *released
}

// Log notes that a receiver was told about a group of alerts.
func (s sent) Log(r *nflogpb.Receiver, group string, firing, resolved []uint64, store *nflog.Store, expiry time.Duration) error {
	err := s.log.Log(r, group, firing, resolved, store, expiry)
	s.file.changed()
	return err
}

// Query finds what was sent, and still counts.
func (s sent) Query(params ...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	found, err := s.log.Query(params...)
	for i, e := range found {
		found[i] = s.released.entry(e)
	}
	return found, err
}
