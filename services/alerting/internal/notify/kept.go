package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/common/model"
)

const (
	// remember is for how long an alert that has ended is kept, so that its end is
	// told after a restart, too.
	remember = time.Hour
	// compactAt is the size from which the journal is written anew.
	compactAt = 8 << 20
)

// kept is the provider of alerts with a journal: an alert that was accepted is there
// after a crash. The Alertmanager itself forgets alerts when it stops.
type kept struct {
	*mem.Alerts
	log  *slog.Logger
	path string

	mu   sync.Mutex
	file *os.File
	size int64
	live map[model.Fingerprint]*alert.Alert
}

// openKept reads the journal and puts its alerts into the provider.
func openKept(dir string, alerts *mem.Alerts, log *slog.Logger) (*kept, error) {
	k := &kept{Alerts: alerts, log: log, path: filepath.Join(dir, "alerts"), live: make(map[model.Fingerprint]*alert.Alert)}
	if err := k.read(); err != nil {
		return nil, fmt.Errorf("read the kept alerts: %w", err)
	}
	var all []*alert.Alert
	for _, a := range k.live {
		all = append(all, a)
	}
	if len(all) > 0 {
		if err := alerts.Put(context.Background(), all...); err != nil {
			return nil, fmt.Errorf("restore alerts: %w", err)
		}
	}
	return k, k.compact()
}

// read takes in the journal. Its last line may be cut off: it was not acknowledged.
func (k *kept) read() error {
	f, err := os.Open(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				k.log.Warn("the last kept alert is cut off; it had not been accepted")
			}
			return nil
		}
		if err != nil {
			return err
		}
		a := &alert.Alert{}
		if err := json.Unmarshal(line, a); err != nil {
			return fmt.Errorf("%s: %w", k.path, err)
		}
		k.live[a.Fingerprint()] = a
	}
}

// Put accepts alerts: they are on disk when it returns.
func (k *kept) Put(ctx context.Context, alerts ...*alert.Alert) error {
	if err := k.write(alerts); err != nil {
		return fmt.Errorf("keep alerts: %w", err)
	}
	return k.Alerts.Put(ctx, alerts...)
}

func (k *kept) write(alerts []*alert.Alert) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var text []byte
	for _, a := range alerts {
		if old := k.live[a.Fingerprint()]; old != nil && overlap(old, a) {
			a = old.Merge(a)
		}
		k.live[a.Fingerprint()] = a
		line, err := json.Marshal(a)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	n, err := k.file.Write(text)
	k.size += int64(n)
	if err == nil {
		err = k.file.Sync()
	}
	if err != nil || k.size < compactAt {
		return err
	}
	return k.compact()
}

// overlap reports whether two alerts are one that goes on: as the provider says.
func overlap(old, a *alert.Alert) bool {
	return (a.EndsAt.After(old.StartsAt) && a.EndsAt.Before(old.EndsAt)) || (a.StartsAt.After(old.StartsAt) && a.StartsAt.Before(old.EndsAt))
}

// compact writes the journal anew, without what ended long ago.
func (k *kept) compact() error {
	temp := k.path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	w, size := bufio.NewWriter(f), int64(0)
	for fp, a := range k.live {
		if time.Since(a.EndsAt) > remember {
			delete(k.live, fp)
			continue
		}
		line, err := json.Marshal(a)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		n, err := w.Write(append(line, '\n'))
		if err != nil {
			return errors.Join(err, f.Close())
		}
		size += int64(n)
	}
	if err := errors.Join(w.Flush(), f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := os.Rename(temp, k.path); err != nil {
		return errors.Join(err, f.Close())
	}
	if k.file != nil {
		_ = k.file.Close() // it was replaced
	}
	k.file, k.size = f, size
	return syncDir(filepath.Dir(k.path))
}

func (k *kept) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.Alerts.Close()
	return k.file.Close()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
