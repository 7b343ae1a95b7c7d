// Package tencent sends text messages and voice calls through Tencent Cloud.
package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/credential"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// Account is what calls of all of Tencent Cloud's services need.
type Account struct {
	ID        secret.String `yaml:"secret_id"`
	IDFile    string        `yaml:"secret_id_file"`
	Key       secret.String `yaml:"secret_key"`
	KeyFile   string        `yaml:"secret_key_file"`
	Region    string        `yaml:"region"`
	Endpoint  string        `yaml:"endpoint"`
	AppID     string        `yaml:"sdk_app_id"`
	Template  string        `yaml:"template_id"`
	Numbers   []string      `yaml:"to"`
	Resolved  bool          `yaml:"send_resolved"`
	Language  string        `yaml:"language"`
	MaxParam  int           `yaml:"max_param_length"`
	SessionID string        `yaml:"session_context"`
	// Params are templates for the slots of the approved text; nil is one slot with
	// the shipped template.
	Params []string `yaml:"template_params"`
}

// SendResolved reports whether the end of alerts is told, too.
func (a *Account) SendResolved() bool { return a.Resolved }

func (a *Account) id() credential.Source {
	return credential.Source{Key: "secret_id", Value: a.ID, File: a.IDFile}
}

func (a *Account) key() credential.Source {
	return credential.Source{Key: "secret_key", Value: a.Key, File: a.KeyFile}
}

func (a *Account) validate() error {
	errs := []error{a.id().Validate(), a.key().Validate(), phone.Validate("to", a.Numbers), message.Settings{Language: a.Language}.Validate(), channel.CheckURL("endpoint", a.Endpoint)}
	if u, err := url.Parse(a.Endpoint); err == nil && u.Path != "" && u.Path != "/" {
		errs = append(errs, errors.New("endpoint must have no path"))
	}
	for _, s := range []struct{ key, is string }{{"sdk_app_id", a.AppID}, {"template_id", a.Template}, {"region", a.Region}} {
		if s.is == "" {
			errs = append(errs, fmt.Errorf("%s is required", s.key))
		}
	}
	if a.MaxParam < 0 {
		errs = append(errs, errors.New("max_param_length must not be negative"))
	}
	return errors.Join(errs...)
}

// params renders the slots. They are one line each: a line break is refused.
func (a *Account) params(r message.Renderer, name string) ([]string, error) {
	texts := a.Params
	if texts == nil {
		texts = []string{message.Shipped(name, a.Language)}
	}
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		line, err := r.Line(t)
		if err != nil {
			return nil, err
		}
		if a.MaxParam > 0 {
			line = message.Cut(line, a.MaxParam, message.Runes)
		}
		out = append(out, line)
	}
	return out, nil
}

// session is what receipts that come back are known by.
func (a *Account) session(ctx context.Context, r message.Renderer) (string, error) {
	if a.SessionID != "" {
		return r.Line(a.SessionID)
	}
	group, _ := notify.ExtractGroupKey(ctx)
	return group.Hash()[:32], nil
}

// caller calls a service.
type caller struct {
	account  *Account
	client   *http.Client
	service  string
	version  string
	endpoint *url.URL
	now      func() time.Time
}

func newCaller(a *Account, e channel.Env, service, version string) (caller, error) {
	u, err := url.Parse(a.Endpoint)
	if err != nil {
		return caller{}, errors.New("endpoint is not an address")
	}
	u.Path = "/"
	c := caller{account: a, client: wire.Client(e.HTTP), service: service, version: version, endpoint: u, now: e.Now}
	_, err = c.credentials()
	return c, err
}

func (c caller) credentials() (key, error) {
	id, err := c.account.id().Read()
	if err != nil {
		return key{}, err
	}
	secret, err := c.account.key().Read()
	return key{id: id, secret: secret}, err
}

// call makes a request and reads its answer into the value given.
func (c caller) call(ctx context.Context, action string, request, response any) error {
	k, err := c.credentials()
	if err != nil {
		return wire.Refused("%s: %w", action, err)
	}
	body, err := json.Marshal(request)
	if err != nil {
		return wire.Refused("render %s: %w", action, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return wire.Refused("make %s: %w", action, err)
	}
	now := c.now()
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", k.authorization(c.service, c.endpoint.Host, body, now))
	r.Header.Set("X-TC-Action", action)
	r.Header.Set("X-TC-Version", c.version)
	r.Header.Set("X-TC-Region", c.account.Region)
	r.Header.Set("X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10))
	a, err := wire.Do(c.client, r)
	if err != nil {
		return err
	}
	return read(a, action, response)
}

func read(a wire.Answer, action string, response any) error {
	var said struct {
		Response json.RawMessage
	}
	if err := a.Decode(&said); err != nil {
		return fmt.Errorf("Tencent Cloud %w", err) //nolint:staticcheck // a name
	}
	var failed struct {
		Error *struct{ Code, Message string }
	}
	if err := json.Unmarshal(said.Response, &failed); err != nil {
		return wire.Later(0, "Tencent Cloud answered %s with %s", action, a.Quote())
	}
	if failed.Error != nil {
		return failure(failed.Error.Code, failed.Error.Message)
	}
	if err := json.Unmarshal(said.Response, response); err != nil {
		return wire.Later(0, "Tencent Cloud answered %s with %s", action, a.Quote())
	}
	return nil
}

// justNow is for how long a number is left alone that had a message just now.
const justNow = 30 * time.Second

// failure says what a code of an error means.
func failure(code, text string) error {
	kind, detail, _ := strings.Cut(code, ".")
	switch {
	case kind == "InternalError", kind == "RequestLimitExceeded", kind == "ResourceUnavailable", kind == "ServiceUnavailable",
		code == "LimitExceeded.DeliveryFrequencyLimit", code == "FailedOperation.FailResolvePacket":
		return wire.Later(0, "Tencent Cloud is busy: %s: %s", code, text)
	case kind == "LimitExceeded" && strings.HasSuffix(detail, "ThirtySecondLimit"):
		return wire.Later(justNow, "Tencent Cloud: the number had a message just now: %s: %s", code, text)
	case code == "AuthFailure.SignatureExpire":
		return wire.Refused("Tencent Cloud refused the request: %s: %s; is the clock of this machine right?", code, text)
	}
	return wire.Refused("Tencent Cloud refused the request: %s: %s", code, text)
}
