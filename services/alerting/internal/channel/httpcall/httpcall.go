// Package httpcall sends a request that the user describes: for providers that have no
// channel of their own.
package httpcall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/credential"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// defaultBody is sent where none is set.
const defaultBody = `{"status": {{ toJson .Status }}, "title": {{ toJson .Title }}, "text": {{ toJson .Text }}}`

// Config is an entry of http_configs.
type Config struct {
	message.Settings `yaml:",inline"`

	Method  string        `yaml:"method"`
	URL     secret.String `yaml:"url"`
	URLFile string        `yaml:"url_file"`
	// Headers are templates by their name; they may hold ${NAME} of the environment.
	Headers map[string]secret.String `yaml:"headers"`
	// Body is a template that also knows .Title, .Text and .Markdown.
	Body *string `yaml:"body"`
	// MaxText bounds .Text and .Markdown, in bytes.
	MaxText int `yaml:"max_text_bytes"`
	// Username and Password are basic auth, Bearer a token.
	Username     string        `yaml:"username"`
	Password     secret.String `yaml:"password"`
	PasswordFile string        `yaml:"password_file"`
	Bearer       secret.String `yaml:"bearer_token"`
	BearerFile   string        `yaml:"bearer_token_file"`
	// Success says which answers are good.
	Success Success `yaml:"success"`
	// Rate is how often a request may be made.
	Rate Rate `yaml:"rate_limit"`

	gates *pace.Gates
}

// Success says which answers are good: a status, and a value in its JSON.
type Success struct {
	Statuses []int `yaml:"statuses"`
	// Path leads to a value: result.code, or items.0.id.
	Path  string `yaml:"json_path"`
	Value string `yaml:"value"`
	// Retry are further values there that another try may mend.
	Retry []string `yaml:"retry_values"`
}

// Rate is so many requests in so much time.
type Rate struct {
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"`
}

// New returns a configuration with what holds where nothing is set.
func New(gates *pace.Gates) func() channel.Config {
	return func() channel.Config {
		return &Config{Settings: message.Settings{Resolved: true}, Method: http.MethodPost, MaxText: 16 << 10, gates: gates}
	}
}

func (c *Config) source() credential.Source {
	return credential.Source{Key: "url", Value: c.URL, File: c.URLFile}
}

func (c *Config) password() credential.Source {
	return credential.Source{Key: "password", Value: c.Password, File: c.PasswordFile}
}

func (c *Config) bearer() credential.Source {
	return credential.Source{Key: "bearer_token", Value: c.Bearer, File: c.BearerFile}
}

// Validate says what is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Settings.Validate(), c.source().Validate()}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch}, c.Method) {
		errs = append(errs, fmt.Errorf("method: %q is none of GET, POST, PUT, PATCH", c.Method))
	}
	if c.Username != "" || c.password().Given() {
		errs = append(errs, c.password().Validate())
		if c.Username == "" {
			errs = append(errs, errors.New("username is required with password"))
		}
		if c.bearer().Given() {
			errs = append(errs, errors.New("username and bearer_token exclude each other"))
		}
	}
	if c.bearer().Given() {
		errs = append(errs, c.bearer().Validate())
	}
	if (c.Success.Path == "") != (c.Success.Value == "") {
		errs = append(errs, errors.New("success.json_path and success.value belong together"))
	}
	if (c.Rate.Requests > 0) != (c.Rate.Per > 0) || c.Rate.Requests < 0 {
		errs = append(errs, errors.New("rate_limit.requests and rate_limit.per belong together"))
	}
	if c.MaxText < 1 {
		errs = append(errs, errors.New("max_text_bytes must be at least 1"))
	}
	return errors.Join(errs...)
}

// Open makes the channel.
func (c *Config) Open(e channel.Env) (notify.Notifier, error) {
	n := &notifier{c: c, e: e, client: wire.Client(e.HTTP)}
	if err := message.Define(e.Templates); err != nil {
		return nil, err
	}
	_, err := n.prepare()
	return n, err
}

type notifier struct {
	c      *Config
	e      channel.Env
	client *http.Client
}

// prepared is what a request is made of beside what is said.
type prepared struct {
	url      string
	headers  map[string]string
	password string
	bearer   string
}

// secrets are what answers must not show.
func (p prepared) secrets() []string {
	all := []string{p.password, p.bearer}
	for _, v := range p.headers {
		all = append(all, v)
	}
	return all
}

func (n *notifier) prepare() (prepared, error) {
	p := prepared{headers: make(map[string]string, len(n.c.Headers))}
	var err error
	if p.url, err = n.c.source().Read(); err != nil {
		return p, err
	}
	if !strings.Contains(p.url, "{{") {
		if err := channel.CheckURL("url", p.url); err != nil {
			return p, err
		}
	}
	for name, v := range n.c.Headers {
		if p.headers[name], err = credential.Expand("headers."+name, v.Reveal()); err != nil {
			return p, err
		}
	}
	if n.c.password().Given() {
		if p.password, err = n.c.password().Read(); err != nil {
			return p, err
		}
	}
	if n.c.bearer().Given() {
		p.bearer, err = n.c.bearer().Read()
	}
	return p, err
}

// said is what templates of the body know beside the Alertmanager's own.
type said struct {
	*template.Data
	Title, Text, Markdown string
}

// Notify sends, and returns whether to try again.
func (n *notifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	group, err := notify.ExtractGroupKey(ctx)
	if err != nil {
		return false, err
	}
	p, err := n.prepare()
	if err != nil {
		return false, err
	}
	data, err := n.say(message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts))
	if err != nil {
		return false, err
	}
	r, err := n.request(ctx, p, data)
	if err != nil {
		return false, err
	}
	send := func(ctx context.Context, _ message.Message) error {
		a, err := wire.Do(n.client, r.WithContext(ctx))
		if err != nil {
			return err
		}
		for _, s := range p.secrets() {
			if s != "" {
				a.Body = bytes.ReplaceAll(a.Body, []byte(s), []byte(secret.Mask))
			}
		}
		return n.verdict(a)
	}
	if n.c.Rate.Requests == 0 {
		return wire.Verdict(send(ctx, message.Message{}))
	}
	robot := fmt.Sprint("http ", p.url, " ", n.c.Rate)
	gate := n.c.gates.Of(robot, pace.Limit{N: n.c.Rate.Requests, Per: n.c.Rate.Per})
	// Messages without a form are not joined: what a body means is not known.
	return wire.Verdict(gate.Do(ctx, pace.Place{Owner: n, Group: group.String()}, message.Message{Size: message.Bytes}, send))
}

func (n *notifier) say(r message.Renderer) (said, error) {
	d := said{Data: r.Data}
	var err error
	if d.Title, err = r.Line(n.c.Template(n.c.Title, "weirflow.title")); err != nil {
		return d, err
	}
	if d.Text, err = r.Fit(n.c.Template(n.c.Text, "weirflow.text"), n.c.MaxText, message.Bytes); err != nil {
		return d, err
	}
	d.Markdown, err = r.Fit(message.Shipped("weirflow.markdown", n.c.Language), n.c.MaxText, message.Bytes)
	return d, err
}

// request renders the request.
func (n *notifier) request(ctx context.Context, p prepared, d said) (*http.Request, error) {
	address, err := n.e.Templates.ExecuteTextString(p.url, d)
	if err != nil {
		return nil, errors.New("render the url: a template in it fails")
	}
	if err := channel.CheckURL("url", address); err != nil {
		return nil, err
	}
	// A label must not choose who is called.
	if strings.Contains(p.url, "{{") && host(address) != host(p.url) {
		return nil, errors.New("the url: templates may be in its path and query only")
	}
	text := ""
	if n.c.Method != http.MethodGet {
		template := defaultBody
		if n.c.Body != nil {
			template = *n.c.Body
		}
		if text, err = n.e.Templates.ExecuteTextString(template, d); err != nil {
			return nil, fmt.Errorf("render the body: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, n.c.Method, address, strings.NewReader(text))
	if err != nil {
		return nil, errors.New("the url is not one")
	}
	if text != "" {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, v := range p.headers {
		line, err := n.e.Templates.ExecuteTextString(v, d)
		if err != nil {
			return nil, fmt.Errorf("render the header %s: a template in it fails", name)
		}
		r.Header.Set(name, strings.Join(strings.Fields(line), " "))
	}
	if p.password != "" {
		r.SetBasicAuth(n.c.Username, p.password)
	}
	if p.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+p.bearer)
	}
	return r, nil
}

// host is the part of an address up to its path.
func host(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://" + rest[:end]
}

// verdict reads the answer.
func (n *notifier) verdict(a wire.Answer) error {
	s := n.c.Success
	if !slices.Contains(s.Statuses, a.Status) {
		if err := a.Check(); err != nil {
			return err
		}
		if len(s.Statuses) > 0 {
			return wire.Refused("answered status %d, which is not one of success.statuses: %s", a.Status, a.Quote())
		}
	}
	if s.Path == "" {
		return nil
	}
	value, ok := find(a.Body, s.Path)
	switch {
	case ok && value == s.Value:
		return nil
	case ok && slices.Contains(s.Retry, value):
		return wire.Later(0, "answered %s = %s: %s", s.Path, value, a.Quote())
	case ok:
		return wire.Refused("answered %s = %s, not %s: %s", s.Path, value, s.Value, a.Quote())
	}
	return wire.Later(0, "answered without %s: %s", s.Path, a.Quote())
}

// find returns the value that a path leads to, as text.
func find(body []byte, path string) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", false
	}
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[step]
			if !ok {
				return "", false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return "", false
			}
			v = x[i]
		default:
			return "", false
		}
	}
	switch x := v.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case bool:
		return strconv.FormatBool(x), true
	}
	return "", false
}
