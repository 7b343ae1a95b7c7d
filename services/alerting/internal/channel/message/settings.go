package message

import (
	"fmt"

	"github.com/prometheus/common/model"
)

// Settings are those of a channel that is a chat.
type Settings struct {
	// Resolved says that the end of alerts is told, too.
	Resolved bool `yaml:"send_resolved"`
	// Language is that of the shipped templates.
	Language string `yaml:"language"`
	// Title and Text are templates; nil is the shipped one of the language.
	Title *string `yaml:"title"`
	Text  *string `yaml:"text"`
}

// Validate says what is wrong with the settings.
func (s Settings) Validate() error {
	if s.Language != "" && s.Language != English && s.Language != Chinese {
		return fmt.Errorf("language: %q is neither en nor zh", s.Language)
	}
	return nil
}

// SendResolved reports whether the end of alerts is told, too.
func (s Settings) SendResolved() bool { return s.Resolved }

// Template is the text of a template: what is set, or the shipped one of a name.
func (s Settings) Template(set *string, name string) string {
	if set != nil {
		return *set
	}
	return Shipped(name, s.Language)
}

// Shipped calls a shipped template in a language.
func Shipped(name, language string) string {
	if language == "" {
		language = English
	}
	return `{{ template "` + name + "." + language + `" . }}`
}

// Fill renders title and text of a message, whose limit must be set, and says whom it
// calls. name is the shipped template of its text.
func (s Settings) Fill(r Renderer, m *Message, name string, users, mobiles []string) error {
	var err error
	m.Language = s.Language
	if m.Link, err = r.Line(`{{ template "weirflow.link" . }}`); err != nil {
		return err
	}
	m.Firing = r.Data.Status == string(model.AlertFiring)
	if m.Title, err = r.Line(s.Template(s.Title, "weirflow.title")); err != nil {
		return err
	}
	m.Title = Cut(m.Title, maxTitle, Bytes)
	if m.Firing { // nobody is called because something is over
		m.Users, m.Mobiles = r.Mentions(users), r.Mentions(mobiles)
	}
	left := m.Limit - m.Size(m.calls())
	if m.Title != "" {
		left -= m.Size(m.heading())
	}
	m.Text, err = r.Fit(s.Template(s.Text, name), max(left, 0), m.Size)
	return err
}
