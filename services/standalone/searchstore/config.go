package searchstore

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/weirflow/weirflow/services/platform/secret"
)

// Config is the store's configuration.
type Config struct {
	// Listen is the address of the HTTP API.
	Listen string `yaml:"listen"`
	// DataDir holds one file for each index.
	DataDir string `yaml:"data_dir"`
	// User and Password are the credentials that requests need; with an empty
	// password everybody may do everything.
	User     string        `yaml:"user"`
	Password secret.String `yaml:"password"`
	// ClusterName is what GET / answers.
	ClusterName string `yaml:"cluster_name"`
	// MaxBodyBytes is the largest request body, also after unpacking.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
	// ReadTimeout is how long a client may take to send a request.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// WriteTimeout is how long a request may take, answer included.
	WriteTimeout time.Duration `yaml:"write_timeout"`
	// IdleTimeout closes connections that are not used.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// ShutdownTimeout is how long running requests may go on when stopping.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	// MaxKeepAlive is the longest life of a scroll or point in time.
	MaxKeepAlive time.Duration `yaml:"max_keep_alive"`
}

// DefaultConfig returns the configuration that needs no file.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:9200", DataDir: "data/search", User: "elastic", ClusterName: "weirflow", MaxBodyBytes: 100 << 20,
		ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, ShutdownTimeout: 10 * time.Second, MaxKeepAlive: 24 * time.Hour,
	}
}

// Validate reports all problems of a configuration.
func (c Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen: %w", err))
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir: must not be empty"))
	}
	if c.Password != "" && c.User == "" {
		errs = append(errs, errors.New("user: must not be empty when a password is set"))
	}
	if c.MaxBodyBytes < 1024 {
		errs = append(errs, fmt.Errorf("max_body_bytes: %d is too small", c.MaxBodyBytes))
	}
	for _, d := range [...]struct {
		name string
		d    time.Duration
	}{{"read_timeout", c.ReadTimeout}, {"write_timeout", c.WriteTimeout}, {"idle_timeout", c.IdleTimeout}, {"shutdown_timeout", c.ShutdownTimeout}, {"max_keep_alive", c.MaxKeepAlive}} {
		if d.d <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be positive", d.name))
		}
	}
	return errors.Join(errs...)
}
