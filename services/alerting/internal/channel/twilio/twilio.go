// Package twilio sends text messages and voice calls through Twilio.
package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/credential"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
	"github.com/weirflow/weirflow/services/platform/secret"
)

const (
	// maxText is how many characters a text message may have; maxSpoken is for a call,
	// whose script may have 4000 with its marks.
	maxText, maxSpoken = 1600, 3500
	// maxLoops is how often a text may be read out.
	maxLoops = 10
)

// Config is an entry of twilio_sms_configs or twilio_call_configs.
type Config struct {
	// Account is the SID of the account.
	Account string `yaml:"account_sid"`
	// KeyID is the SID of an API key; without it, Token is the account's own.
	KeyID     string        `yaml:"api_key_sid"`
	Token     secret.String `yaml:"auth_token"`
	TokenFile string        `yaml:"auth_token_file"`
	Endpoint  string        `yaml:"endpoint"`
	From      string        `yaml:"from"`
	Numbers   []string      `yaml:"to"`
	Resolved  bool          `yaml:"send_resolved"`
	Language  string        `yaml:"language"`
	Text      *string       `yaml:"text"`

	book *receipt.Book
}

// SMS is an entry of twilio_sms_configs.
type SMS struct {
	Config `yaml:",inline"`
	// Service is the SID of a messaging service, in the place of From.
	Service string `yaml:"messaging_service_sid"`
}

// Call is an entry of twilio_call_configs.
type Call struct {
	Config `yaml:",inline"`
	// Voice reads the text out, Loop times.
	Voice string `yaml:"voice"`
	Loop  int    `yaml:"loop"`
}

func defaults(book *receipt.Book) Config {
	return Config{Endpoint: "https://api.twilio.com", book: book}
}

// NewSMS returns a configuration with what holds where nothing is set.
func NewSMS(book *receipt.Book) func() channel.Config {
	return func() channel.Config { return &SMS{Config: defaults(book)} }
}

// NewCall returns a configuration with what holds where nothing is set.
func NewCall(book *receipt.Book) func() channel.Config {
	return func() channel.Config { return &Call{Config: defaults(book), Loop: 2} }
}

// SendResolved reports whether the end of alerts is told, too.
func (c *Config) SendResolved() bool { return c.Resolved }

func (c *Config) token() credential.Source {
	return credential.Source{Key: "auth_token", Value: c.Token, File: c.TokenFile}
}

func (c *Config) validate() error {
	errs := []error{c.token().Validate(), phone.Validate("to", c.Numbers), message.Settings{Language: c.Language}.Validate(), channel.CheckURL("endpoint", c.Endpoint)}
	if !strings.HasPrefix(c.Account, "AC") {
		errs = append(errs, errors.New("account_sid is required: the console shows it, it begins with AC"))
	}
	if c.KeyID != "" && !strings.HasPrefix(c.KeyID, "SK") {
		errs = append(errs, errors.New("api_key_sid begins with SK"))
	}
	return errors.Join(errs...)
}

// Validate says what is wrong.
func (c *SMS) Validate() error {
	err := c.validate()
	if (c.From == "") == (c.Service == "") {
		err = errors.Join(err, errors.New("one of from and messaging_service_sid is required"))
	}
	return err
}

// Validate says what is wrong.
func (c *Call) Validate() error {
	err := c.validate()
	if c.From == "" {
		err = errors.Join(err, errors.New("from is required: a number of the account"))
	}
	if c.Loop < 1 || c.Loop > maxLoops {
		err = errors.Join(err, fmt.Errorf("loop must be between 1 and %d", maxLoops))
	}
	return err
}

// Open makes the channel.
func (c *SMS) Open(e channel.Env) (notify.Notifier, error) {
	n := &notifier{c: &c.Config, e: e, client: wire.Client(e.HTTP), resource: "Messages.json", template: "weirflow.sms", limit: maxText, size: message.Runes}
	n.form = func(to, text string) (url.Values, error) {
		v := url.Values{"To": {to}, "Body": {text}}
		if c.Service != "" {
			v.Set("MessagingServiceSid", c.Service)
		} else {
			v.Set("From", c.From)
		}
		n.callback(v)
		return v, nil
	}
	return n, n.open()
}

// Open makes the channel.
func (c *Call) Open(e channel.Env) (notify.Notifier, error) {
	n := &notifier{c: &c.Config, e: e, client: wire.Client(e.HTTP), resource: "Calls.json", template: "weirflow.voice", limit: maxSpoken, size: escaped}
	n.form = func(to, text string) (url.Values, error) {
		spoken, err := c.twiml(text)
		v := url.Values{"To": {to}, "From": {c.From}, "Twiml": {spoken}}
		n.callback(v)
		return v, err
	}
	return n, n.open()
}

// twiml is the script of a call.
func (c *Call) twiml(text string) (string, error) {
	type say struct {
		Voice    string `xml:"voice,attr,omitempty"`
		Language string `xml:"language,attr"`
		Loop     int    `xml:"loop,attr"`
		Text     string `xml:",chardata"`
	}
	language := "en-US"
	if c.Language == message.Chinese {
		language = "zh-CN"
	}
	b, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Response"`
		Say     say
	}{Say: say{Voice: c.Voice, Language: language, Loop: c.Loop, Text: text}})
	return string(b), err
}

// escaped measures text as it stands in XML.
func escaped(text string) int {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil { // a buffer takes all
		return len(text)
	}
	return b.Len()
}

type notifier struct {
	c        *Config
	e        channel.Env
	client   *http.Client
	resource string
	template string
	limit    int
	size     message.Size
	form     func(to, text string) (url.Values, error)
}

func (n *notifier) open() error {
	if _, err := n.c.token().Read(); err != nil {
		return err
	}
	if s := n.e.Signers; s != nil {
		switch {
		case n.c.KeyID == "":
			s.Set(n.c.Account, n.c.token().Read)
		case !s.Has(n.c.Account):
			s.Set(n.c.Account, nil)
		}
	}
	return message.Define(n.e.Templates)
}

// callback has Twilio tell what becomes of a message, where there is somebody to tell.
func (n *notifier) callback(v url.Values) {
	if n.e.Receipts != "" {
		v.Set("StatusCallback", n.e.Receipts+"/twilio")
	}
}

// Notify sends to the numbers that have not had this notification, and returns whether
// to try again.
func (n *notifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	r := message.New(ctx, n.e.Templates, n.c.Language, n.e.Logger, alerts)
	text, err := r.Fit(message.Settings{Language: n.c.Language}.Template(n.c.Text, n.template), n.limit, n.size)
	if err != nil {
		return false, err
	}
	numbers, bad := phone.Render(n.e.Templates, r.Data, n.c.Numbers)
	k := receipt.Of(ctx, n.resource+" "+n.c.Account+" "+n.c.From, n.c.Numbers, alerts)
	err = n.c.book.Each(ctx, k, numbers, bad, func(ctx context.Context, numbers []string) map[string]error {
		all := make(map[string]error)
		for _, number := range numbers {
			all[number] = n.send(ctx, number, text)
		}
		return all
	})
	return wire.Verdict(err)
}

// send makes one request.
func (n *notifier) send(ctx context.Context, to, text string) error {
	token, err := n.c.token().Read()
	if err != nil {
		return wire.Refused("%w", err)
	}
	form, err := n.form(to, text)
	if err != nil {
		return wire.Refused("render the call: %w", err)
	}
	address := strings.TrimSuffix(n.c.Endpoint, "/") + "/2010-04-01/Accounts/" + url.PathEscape(n.c.Account) + "/" + n.resource
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return wire.Refused("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	user := n.c.KeyID
	if user == "" {
		user = n.c.Account
	}
	r.SetBasicAuth(user, token)
	a, err := wire.Do(n.client, r)
	if err != nil {
		return err
	}
	if err := a.Check(); err != nil {
		return fmt.Errorf("Twilio %w", err) //nolint:staticcheck // a name
	}
	var taken struct {
		SID string `json:"sid"`
	}
	if err := json.Unmarshal(a.Body, &taken); err == nil { // it was taken, whatever it says
		receipt.Took(ctx, "twilio", to, taken.SID)
	}
	return nil
}
