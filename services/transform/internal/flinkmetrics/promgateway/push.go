package promgateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

// within bounds a request to the Pushgateway.
const within = 10 * time.Second

// Reporter pushes what a collector tells, until it is ended.
type Reporter struct {
	o      Options
	log    *slog.Logger
	hide   func(error) string
	pusher *push.Pusher
	stop   context.CancelFunc
	done   chan struct{}
}

// Begin begins to push. hide takes secrets out of errors.
func Begin(o Options, what prometheus.Collector, log *slog.Logger, hide func(error) string) *Reporter {
	name := o.JobName
	if o.Suffix {
		name += suffix()
	}
	// A redirect could lead the password elsewhere, and a push does not survive one.
	client := &http.Client{Timeout: within, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the Pushgateway answers with a redirect; name the address that it leads to")
	}}
	p := push.New(o.URL, name).Client(client).Collector(what)
	for k, v := range o.Grouping {
		if o.Filter {
			v = Strip(v)
		}
		p.Grouping(k, v)
	}
	if o.Auth {
		p.BasicAuth(o.Username, o.password)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Reporter{o: o, log: log, hide: hide, pusher: p, stop: stop, done: make(chan struct{})}
	go r.run(ctx)
	return r
}

// suffix makes what no other job has behind its name.
func suffix() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func (r *Reporter) run(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(r.o.Interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := r.pusher.PushContext(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			r.log.Warn("the metrics of the job could not be pushed; it is tried on", "pushgateway", r.o.URL, "error", r.hide(err))
		case err == nil && failing:
			r.log.Info("the metrics of the job are pushed again", "pushgateway", r.o.URL)
		}
		failing = err != nil
	}
}

// End ends the pushing, and removes what was pushed if that is wanted. Others see the
// last figures if it is not. If another goes on under the same name, it is left to it.
func (r *Reporter) End(lost bool) {
	r.stop()
	<-r.done
	if lost && !r.o.Suffix {
		return
	}
	var err error
	if r.o.Delete {
		err = r.pusher.Delete()
	} else {
		err = r.pusher.Push()
	}
	if err != nil {
		r.log.Warn("the last word on the job did not reach the Pushgateway", "pushgateway", r.o.URL, "error", r.hide(fmt.Errorf("end: %w", err)))
	}
}
