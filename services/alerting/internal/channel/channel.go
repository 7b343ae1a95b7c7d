// Package channel is what the ways to notify people have in common that the
// Alertmanager library does not have: how they are configured below a receiver, and
// what they are given.
package channel

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/platform/suggest"
)

// Env is what a channel is given.
type Env struct {
	Logger    *slog.Logger
	Templates *template.Template
	// HTTP reaches only what outgoing requests may reach.
	HTTP *http.Client
	Now  func() time.Time
	// Receipts is the address that providers of text messages and calls are to tell what
	// became of them, below which each has its own; empty: none.
	Receipts string
	// Signers are told the secrets by which providers sign that; nil: nobody asks.
	Signers *receipt.Signers
}

// Config is how a channel is configured: an entry of its list below a receiver, in
// the names of the Alertmanager's YAML. It is a pointer to a struct that YAML is
// read into.
type Config interface {
	// Validate says what is wrong.
	Validate() error
	// SendResolved reports whether the end of alerts is told, too.
	SendResolved() bool
	// Open makes the channel.
	Open(e Env) (notify.Notifier, error)
}

// CheckURL wants an address that requests can be sent to. Its errors do not show the
// address, which may hold a key.
func CheckURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("%s is not an address such as https://host.example/path", key)
	}
	return nil
}

// Registry makes an empty configuration by the key of its list: wecom_bot_configs.
type Registry map[string]func() Config

// Decode reads an entry of the list with the key given.
func (r Registry) Decode(key string, text []byte) (Config, error) {
	f, ok := r[key]
	if !ok {
		return nil, fmt.Errorf("%s is not known%s", key, suggest.Hint(key, slices.Sorted(maps.Keys(r))))
	}
	c := f()
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return c, nil
}
