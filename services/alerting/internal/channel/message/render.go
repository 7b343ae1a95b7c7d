package message

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"sort"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
)

//go:embed weirflow.tmpl
var shipped string

// Texts returns the shipped templates by name, each with its {{ define }}.
func Texts() map[string]string {
	all := make(map[string]string)
	for block := range strings.SplitSeq(strings.TrimSpace(shipped), "\n\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(block, `{{ define "`), `"`)
		all[name] = block
	}
	return all
}

// Define adds the shipped templates (weirflow.text and others) unless the user's files
// define them.
func Define(t *template.Template) error {
	for name, block := range Texts() {
		if defined(t, name) {
			continue
		}
		if err := t.Parse(strings.NewReader(block)); err != nil {
			return fmt.Errorf("read the template %s: %w", name, err)
		}
	}
	return nil
}

// defined reports whether there is a template. One that is there may well fail with the
// sample: the library tells the two apart in words only.
func defined(t *template.Template, name string) bool {
	_, err := t.ExecuteTextString(`{{ template "`+name+`" . }}`, sample(t, name))
	return err == nil || !strings.Contains(err.Error(), fmt.Sprintf("template %q not defined", name))
}

// sample is what a template is tried with to see whether it is there.
func sample(t *template.Template, name string) any {
	a := &alert.Alert{}
	if strings.HasPrefix(name, "weirflow.one") {
		return template.Alert{}
	}
	return t.Data("", nil, nil, "", a)
}

// Renderer renders templates for the alerts of one notification.
type Renderer struct {
	Templates *template.Template
	Data      *template.Data
	Language  string
	Log       *slog.Logger
}

// New returns a renderer of the alerts that a notifier was given.
func New(ctx context.Context, t *template.Template, language string, log *slog.Logger, alerts []*alert.Alert) Renderer {
	return Renderer{Templates: t, Data: notify.GetTemplateData(ctx, t, alerts, log), Language: language, Log: log}
}

// Text renders a template.
func (r Renderer) Text(text string) (string, error) {
	return r.text(text, r.Data)
}

func (r Renderer) text(text string, data *template.Data) (string, error) {
	out, err := r.Templates.ExecuteTextString(text, data)
	if err != nil {
		return "", fmt.Errorf("render the template: %w", err)
	}
	return strings.ToValidUTF8(strings.TrimSpace(out), "\uFFFD"), nil
}

// Line renders a template whose result is one line.
func (r Renderer) Line(text string) (string, error) {
	out, err := r.Text(text)
	return strings.Join(strings.Fields(out), " "), err
}

// Mentions renders templates that may give several words each, parted by commas or
// spaces: who is called by name. One that fails (nobody is on call) is left out and
// logged: the message matters more.
func (r Renderer) Mentions(texts []string) []string {
	var all []string
	for _, t := range texts {
		out, err := r.Text(t)
		if err != nil {
			r.Log.Warn("a message is sent without one of its mentions", "mention", t, "error", err)
			continue
		}
		all = union(all, strings.FieldsFunc(out, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' }))
	}
	return all
}

// Fit renders a template so that it has room. Where all alerts have not, it renders
// the first of them and says how many more there are; where even one has not, its text
// is cut.
func (r Renderer) Fit(text string, limit int, size Size) (string, error) {
	whole, err := r.Text(text)
	if err != nil || size(whole) <= limit {
		return whole, err
	}
	var failed error
	// with is the text with the first n alerts.
	with := func(n int) string {
		some := *r.Data
		some.Alerts = r.Data.Alerts[:n]
		out, err := r.text(text, &some)
		if err != nil {
			failed = err
		}
		return out + "\n" + words(r.Language).rest(len(r.Data.Alerts)-n)
	}
	n := sort.Search(len(r.Data.Alerts), func(i int) bool { return size(with(i+1)) > limit })
	if failed != nil {
		return "", failed
	}
	if n > 0 {
		return with(n), nil
	}
	if len(r.Data.Alerts) <= 1 {
		return Cut(whole, limit, size), nil
	}
	rest := "\n" + words(r.Language).rest(len(r.Data.Alerts)-1)
	some := *r.Data
	some.Alerts = r.Data.Alerts[:1]
	one, err := r.text(text, &some)
	return Cut(one, max(limit-size(rest), 0), size) + rest, err
}
