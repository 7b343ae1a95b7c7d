// Package message renders what channels send: templates in two languages, cut to what
// a provider takes, and several messages in one where it takes only so many.
package message

import (
	"fmt"
	"slices"
	"strings"
)

// Message is what a group chat is told.
type Message struct {
	// Form tells apart what can not be one message: text and Markdown.
	Form     string
	Language string
	// Title is one line, Text what it is about.
	Title, Text string
	// Mark surrounds the title, where it is Markdown, and Break parts it from the text.
	Mark, Break string
	// Firing says that something is wrong, rather than over.
	Firing bool
	// Link leads to the console.
	Link string
	// Users, Mobiles and Everyone are called by name.
	Users, Mobiles []string
	Everyone       bool
	// Call is how the text calls them, if it does; it follows the text.
	Call func(Message) string
	// Limit is how much fits into a message, measured by Size.
	Limit int
	Size  Size
}

// maxTitle bounds a title, so that several fit into a message.
const maxTitle = 200

// Whole is the message in one text.
func (m Message) Whole() string {
	switch {
	case m.Title == "":
		return m.Text
	case m.Text == "":
		return m.Mark + m.Title + m.Mark
	}
	return m.heading() + m.Text
}

// heading is the title with what follows it.
func (m Message) heading() string {
	between := m.Break
	if between == "" {
		between = "\n"
	}
	return m.Mark + m.Title + m.Mark + between
}

// Full is the whole message and its calls.
func (m Message) Full() string { return m.Whole() + m.calls() }

func (m Message) calls() string {
	if m.Call == nil {
		return ""
	}
	return m.Call(m)
}

// fits reports whether the message is one that the provider takes.
func (m Message) fits() bool { return m.Size(m.Full()) <= m.Limit }

// Join makes one message of the first of several, in their order, and returns how many
// it holds. All that wait are told in full if that fits; otherwise each has a line of
// its title, for as many as fit. The others are left for another message.
func Join(ms []Message) (Message, int) {
	first := ms[0]
	if len(ms) == 1 {
		return first, 1
	}
	if m := digest(ms, Message.Whole, "\n\n"); m.fits() {
		return m, len(ms)
	}
	for n := len(ms); n > 1; n-- {
		if m := digest(ms[:n], line, "\n"); m.fits() {
			return m, n
		}
	}
	return first, 1
}

// line is the one of a message in a digest.
func line(m Message) string {
	title := m.Title
	if title == "" {
		title, _, _ = strings.Cut(strings.TrimSpace(m.Text), "\n")
	}
	return "- " + Cut(title, maxTitle, Bytes)
}

// digest is a message of messages.
func digest(ms []Message, form func(Message) string, between string) Message {
	d := ms[0]
	d.Title, d.Users, d.Mobiles, d.Firing, d.Everyone = words(d.Language).several(len(ms)), nil, nil, false, false
	texts := make([]string, len(ms))
	for i, m := range ms {
		texts[i] = form(m)
		d.Users = union(d.Users, m.Users)
		d.Mobiles = union(d.Mobiles, m.Mobiles)
		d.Everyone = d.Everyone || m.Everyone
		d.Firing = d.Firing || m.Firing
	}
	d.Text = strings.Join(texts, between)
	return d
}

func union(a, b []string) []string {
	a = slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

// English and Chinese are the languages of the shipped templates.
const (
	English = "en"
	Chinese = "zh"
)

// vocabulary is what is said beside templates.
type vocabulary struct{ digest, more string }

func words(language string) vocabulary {
	if language == Chinese {
		return vocabulary{digest: "%d 条通知合并为一条", more: "…还有 %d 条"}
	}
	return vocabulary{digest: "%d notifications in one", more: "… %d more"}
}

func (v vocabulary) several(n int) string { return fmt.Sprintf(v.digest, n) }
func (v vocabulary) rest(n int) string    { return fmt.Sprintf(v.more, n) }
