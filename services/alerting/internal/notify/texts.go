package notify

import (
	"context"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
)

// patience is for how long, after a start, messages wait for what stands in Kafka:
// templates, rotas, and who deals with what.
const patience = 10 * time.Second

// console leads the Alertmanager's own templates to the alert in the console.
const console = `{{ define "__alertmanagerURL" }}{{ template "weirflow.link" . }}{{ end }}`

// templates reads the files, and the templates that people have put. Later ones take
// the place of earlier ones.
func (e *Engine) templates(f *File) (*amtemplate.Template, error) {
	t, err := amtemplate.FromGlobs(nil, e.functions)
	if err == nil {
		err = t.Parse(strings.NewReader(console))
	}
	for _, path := range f.Templates {
		if err == nil {
			err = t.FromGlob(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	t.ExternalURL = e.url
	if e.d.Texts != nil {
		for id, text := range e.d.Texts() {
			if err := t.Parse(strings.NewReader(Defined(id, text))); err != nil { // it was right when it was put
				e.d.Logger.Error("a template is left out", "template", id, "error", err)
			}
		}
	}
	return t, message.Define(t)
}

// Defined is the text of a template as a file has it.
func Defined(id, text string) string { return `{{ define "` + id + `" }}` + text + `{{ end }}` }

// functions are what templates may call beside the Alertmanager's.
func (e *Engine) functions(text *texttemplate.Template, html *template.Template) {
	contact := e.d.Contact
	if contact == nil {
		contact = func(rota, _ string, _ ...string) (string, error) {
			return "", fmt.Errorf("there is no rota %q", rota)
		}
	}
	text.Funcs(texttemplate.FuncMap{"oncall": contact})
	html.Funcs(template.FuncMap{"oncall": contact})
}

// Templates are those in use. They must not be changed.
func (e *Engine) Templates() *amtemplate.Template { return e.tmpl.Load() }

// CheckTemplate says what is wrong with the text of a template.
func (e *Engine) CheckTemplate(id, text string) error {
	probe := texttemplate.New("").Option("missingkey=zero")
	e.functions(probe, template.New(""))
	probe.Funcs(texttemplate.FuncMap(amtemplate.DefaultFuncs))
	alone, err := probe.New("alone").Parse(text)
	if err != nil {
		return err
	}
	if n := len(alone.Templates()); n > 1 {
		return fmt.Errorf("%q defines further templates: put each by itself", id)
	}
	t, err := amtemplate.New(e.functions)
	if err != nil {
		return err
	}
	return t.Parse(strings.NewReader(Defined(id, text)))
}

// Refresh takes the templates that people have put now.
func (e *Engine) Refresh() error { return e.apply(e.file.Load()) }

// settle waits, soon after a start, for what messages are made of. Its error is that of
// the context.
func (e *Engine) settle(ctx context.Context) error {
	left := patience - time.Since(e.started)
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	for _, known := range e.d.Known {
		select {
		case <-known:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
