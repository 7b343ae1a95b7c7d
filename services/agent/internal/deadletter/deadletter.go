// Package deadletter keeps on disk the events that an output can't ever take,
// so that they are counted and can be looked at, mended and sent again.
package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Letter is a line of the file.
type Letter struct {
	Time   time.Time       `json:"time"`
	Topic  string          `json:"topic"`
	ID     string          `json:"event_id"`
	Reason string          `json:"reason"`
	Event  json.RawMessage `json:"event"`
}

// Box is a folder with one file a day.
type Box struct {
	dir string

	mu sync.Mutex
}

// NewBox names the folder; it is made when the first letter comes.
func NewBox(dir string) *Box { return &Box{dir: dir} }

// Put writes letters and syncs.
func (b *Box) Put(letters []Letter) (err error) {
	if len(letters) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := os.MkdirAll(b.dir, 0o750); err != nil {
		return fmt.Errorf("keep dead letters: %w", err)
	}
	name := filepath.Join(b.dir, time.Now().UTC().Format("2006-01-02")+".ndjson")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep dead letters: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	for _, l := range letters {
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("keep dead letters: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("keep dead letters: %w", err)
	}
	return nil
}
