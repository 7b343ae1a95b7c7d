package agent

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// Compatible is the version of Filebeat whose events the agent emits.
const Compatible = "8.1.3"

// Document is a configuration file whose text is given.
type Document struct {
	Name string
	Text []byte
}

// Config says where the configuration is and what the command line lays over it.
type Config struct {
	// Files are configuration files; later ones are laid over earlier ones.
	Files []string
	// Documents are laid over the files.
	Documents []Document
	// Overrides are settings as key=value, laid over all.
	Overrides []string
	// Paths; empty ones are taken from the file, else from PathHome, which is
	// the working directory if empty.
	PathHome   string
	PathConfig string
	PathData   string
	PathLogs   string
	// StrictPerms refuses configuration files that others may write.
	StrictPerms bool
	// Once reads all files to their ends, waits for acknowledgements, and ends.
	Once bool
	// QueueBytes bounds the events that are in memory.
	QueueBytes int64
	// Lookup finds environment variables; in the process's environment if nil.
	Lookup func(name string) (string, bool)
}

// DefaultConfig reads filebeat.yml in the working directory.
func DefaultConfig() Config {
	return Config{Files: []string{"filebeat.yml"}, StrictPerms: true, QueueBytes: 16 << 20}
}

// Settings loads and checks the configuration.
func (c Config) settings() (*settings.Config, error) {
	o := settings.Options{StrictPerms: c.StrictPerms, Overrides: c.Overrides, Lookup: c.Lookup}
	for _, f := range c.Files {
		o.Sources = append(o.Sources, settings.Source{Name: settings.Resolve(c.PathConfig, f)})
	}
	for _, d := range c.Documents {
		o.Sources = append(o.Sources, settings.Source{Name: d.Name, Text: d.Text})
	}
	if len(o.Sources) == 0 {
		return nil, errors.New("no configuration: name a file with -c")
	}
	s, err := settings.Load(o)
	if err != nil {
		return nil, err
	}
	return s, c.paths(s)
}

// paths settles where things are kept.
func (c Config) paths(s *settings.Config) error {
	home := first(c.PathHome, s.PathHome, ".")
	home, err := filepath.Abs(home)
	if err != nil {
		return fmt.Errorf("find path.home: %w", err)
	}
	s.PathHome = home
	s.PathData = settings.Resolve(home, first(c.PathData, s.PathData, "data"))
	if c.PathData != "" { // given on the command line: as the shell sees it
		if s.PathData, err = filepath.Abs(c.PathData); err != nil {
			return fmt.Errorf("find path.data: %w", err)
		}
	}
	s.PathLogs = settings.Resolve(home, first(c.PathLogs, s.PathLogs, "logs"))
	s.RegistryPath = filepath.Join(settings.Resolve(s.PathData, first(s.RegistryPath, "registry")), "weirflow")
	return nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// Check loads the configuration and builds all that it describes, without
// reading a file or connecting anywhere.
func Check(c Config) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	_, err = compile(s, c, facts{})
	return err
}

// Export renders the configuration after includes, overrides and variables, with
// secrets masked.
func Export(c Config) ([]byte, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	return s.Export()
}
