// Package wire sends a request to a provider and says what its failure means: whether
// it is worth another try, and when.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

const (
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 256 << 10
	// maxQuote bounds what an error quotes of an answer.
	maxQuote = 200
	// inFlight bounds a request.
	inFlight = 20 * time.Second
	// defaultWait is how long a provider is left alone that answers 429 without
	// saying for how long.
	defaultWait = time.Minute
)

// Failure is why a message was not taken.
type Failure struct {
	// Again says that the same message may be taken later.
	Again bool
	// Wait is how long the provider wants to be left alone; 0: it did not say.
	Wait time.Duration
	Err  error
}

// Error says what went wrong.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Refused is a failure that another try does not mend.
func Refused(format string, args ...any) error {
	return &Failure{Err: fmt.Errorf(format, args...)}
}

// Later is a failure that another try may mend, after the wait.
func Later(wait time.Duration, format string, args ...any) error {
	return &Failure{Again: true, Wait: wait, Err: fmt.Errorf(format, args...)}
}

// Verdict is what a notifier returns for an error: whether to try again, and it.
func Verdict(err error) (bool, error) {
	var f *Failure
	return errors.As(err, &f) && f.Again, err
}

// Client returns a client like the one given that follows no redirects: they would
// take keys to other hosts, and turn a POST into a GET that nobody reads.
func Client(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Answer is what a provider said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request. Its errors are Failures and never show the address, which may
// hold a key. A request that is on its way is not broken off when the notifier's time
// is over: what became of it must be known, or it would be told twice.
func Do(c *http.Client, r *http.Request) (Answer, error) {
	if err := r.Context().Err(); err != nil {
		return Answer{}, &Failure{Again: true, Err: fmt.Errorf("call %s: %w", r.URL.Host, err)}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), inFlight)
	defer cancel()
	res, err := c.Do(r.WithContext(ctx)) //nolint:gosec // the client reaches only what outgoing requests may reach
	if err != nil {
		return Answer{}, &Failure{Again: !errors.Is(err, outgoing.ErrRefused), Err: fmt.Errorf("call %s: %w", r.URL.Host, notify.RedactURL(err))}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if cerr := res.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return Answer{}, &Failure{Again: true, Err: fmt.Errorf("read the answer of %s: %w", r.URL.Host, notify.RedactURL(err))}
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// PostJSON sends a value as JSON.
func PostJSON(ctx context.Context, c *http.Client, url string, v any) (Answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Answer{}, Refused("render the request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, Refused("make the request: %w", notify.RedactURL(err))
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return Do(c, r)
}

// Check returns the failure that a status other than 2xx is.
func (a Answer) Check() error {
	switch {
	case a.Status/100 == 2:
		return nil
	case a.Status == http.StatusTooManyRequests:
		return Later(a.retryAfter(defaultWait), "answered status %d: %s", a.Status, a.Quote())
	case a.Status/100 == 5 || a.Status == http.StatusRequestTimeout:
		return Later(a.retryAfter(0), "answered status %d: %s", a.Status, a.Quote())
	case a.Status/100 == 3:
		return Refused("answered status %d, a redirect, which is not followed", a.Status)
	}
	return Refused("answered status %d: %s", a.Status, a.Quote())
}

// Decode reads an answer of JSON after its status was found to be good.
func (a Answer) Decode(v any) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		// A gateway's page in the place of an answer: what happened is not known.
		return Later(0, "answered what is not JSON: %s", a.Quote())
	}
	return nil
}

// Quote is the beginning of the answer, in one line.
func (a Answer) Quote() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(a.Body), "?")), " ")
	if text == "" {
		return "(empty)"
	}
	if len(text) <= maxQuote {
		return text
	}
	end := maxQuote
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// retryAfter is what the header of that name says in seconds, at most an hour.
func (a Answer) retryAfter(otherwise time.Duration) time.Duration {
	s, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || s < 0 {
		return otherwise
	}
	return min(time.Duration(s)*time.Second, time.Hour)
}
