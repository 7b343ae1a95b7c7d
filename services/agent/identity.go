package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/host"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// facts are what the agent knows of itself and its machine.
type facts struct {
	host      host.Facts
	id        string
	ephemeral string
	started   time.Time
	// firstStart is when the agent was started for the first time.
	firstStart time.Time
}

// meta is the content of ${path.data}/meta.json, as Filebeat writes it.
type meta struct {
	UUID       string    `json:"uuid"`
	FirstStart time.Time `json:"first_start"`
}

// identify reads the agent's identity, or makes one that stays.
func identify(dataDir string) (facts, error) {
	f := facts{host: host.Collect(), ephemeral: uuid.NewString(), started: time.Now()}
	if err := os.MkdirAll(dataDir, 0o750); err != nil {
		return f, fmt.Errorf("make path.data: %w", err)
	}
	name := filepath.Join(dataDir, "meta.json")
	var m meta
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, &m); err != nil || m.UUID == "" {
			return f, fmt.Errorf("read %s: it holds no agent id; mend it, or remove it for a new identity", name)
		}
	case errors.Is(err, os.ErrNotExist):
		m = meta{UUID: uuid.NewString(), FirstStart: f.started}
		if err := writeMeta(name, m); err != nil {
			return f, err
		}
	default:
		return f, fmt.Errorf("read agent id: %w", err)
	}
	f.id, f.firstStart = m.UUID, m.FirstStart
	return f, nil
}

// writeMeta puts the identity on disk before anything is sent under it.
func writeMeta(name string, m meta) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write agent id: %w", err)
	}
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write agent id: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write agent id: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("write agent id: %w", err)
	}
	return nil
}

// standing are the fields that every event has.
func (f facts) standing(s *settings.Config, inputType string) document.Map {
	name := f.name(s)
	return document.Map{
		"input": document.Map{"type": inputType},
		"ecs":   document.Map{"version": "8.0.0"},
		"host":  document.Map{"name": name},
		"agent": document.Map{
			"name": name, "type": "filebeat", "version": Compatible,
			"hostname": first(s.Hostname, f.host.Hostname), "ephemeral_id": f.ephemeral, "id": f.id,
		},
	}
}

func (f facts) name(s *settings.Config) string { return first(s.Name, s.Hostname, f.host.Hostname) }
