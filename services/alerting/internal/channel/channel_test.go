package channel_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
)

type note struct {
	Text string `yaml:"text"`
}

func (n *note) Validate() error {
	if n.Text == "" {
		return errors.New("text is required")
	}
	return nil
}
func (n *note) SendResolved() bool                        { return false }
func (n *note) Open(channel.Env) (notify.Notifier, error) { return nil, nil }

func TestDecode(t *testing.T) {
	known := channel.Registry{"note_configs": func() channel.Config { return &note{} }}
	for name, tt := range map[string]struct{ key, text, want string }{
		"fine":        {"note_configs", "text: x", ""},
		"unknown":     {"notes_configs", "text: x", "notes_configs is not known"},
		"unknown key": {"note_configs", "txt: x", "note_configs: "},
		"not valid":   {"note_configs", "{}", "note_configs: text is required"},
	} {
		c, err := known.Decode(tt.key, []byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if n, ok := c.(*note); err == nil && (!ok || n.Text != "x") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for text, good := range map[string]bool{
		"https://x.example/p?k=1": true, "http://127.0.0.1:80": true, "": false, "x.example": false, "ftp://x.example": false, "file:///etc/passwd": false, "https://": false, "http://s3cret\x7f": false,
	} {
		err := channel.CheckURL("url", text)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
