// Package ledger counts events at a stage so that nothing goes unaccounted for:
// what came in is out, filtered, dead-lettered, or still in flight.
package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
)

// Stage counts the events of one input, topic, job or sink. Its methods may be
// called from several goroutines.
type Stage struct {
	name                            string
	in, out, filtered, deadLettered atomic.Uint64
}

// In counts events that the stage took.
func (s *Stage) In(n int) { s.in.Add(uint64(n)) }

// Out counts events that the next stage has acknowledged.
func (s *Stage) Out(n int) { s.out.Add(uint64(n)) }

// Filtered counts events that were left out because a configuration or a
// statement says so.
func (s *Stage) Filtered(n int) { s.filtered.Add(uint64(n)) }

// DeadLettered counts events that could not go on and were set aside.
func (s *Stage) DeadLettered(n int) { s.deadLettered.Add(uint64(n)) }

// Returned takes back events that In counted and that were given back to who
// sent them, to be sent again.
func (s *Stage) Returned(n int) { s.in.Add(-uint64(n)) }

// Account is the stage's counts at one moment.
type Account struct {
	Name                                      string
	In, Out, Filtered, DeadLettered, InFlight uint64
}

// Account returns the counts. What left is read before what came, so that
// in flight is never negative.
func (s *Stage) Account() Account {
	a := Account{Name: s.name, Out: s.out.Load(), Filtered: s.filtered.Load(), DeadLettered: s.deadLettered.Load()}
	a.In = s.in.Load()
	if left := a.Out + a.Filtered + a.DeadLettered; a.In >= left {
		a.InFlight = a.In - left
	}
	return a
}

// Book holds the stages of a service.
type Book struct {
	service, instance string

	mu     sync.Mutex
	stages map[string]*Stage
}

// NewBook makes the ledger of a service and exports it as the metrics
// weirflow_<service>_events_{in,out,filtered,dead_lettered} and _in_flight.
func NewBook(service, instance string, mp metric.MeterProvider) (*Book, error) {
	b := &Book{service: service, instance: instance, stages: map[string]*Stage{}}
	m := mp.Meter("github.com/weirflow/weirflow/services/platform/ledger")
	counters := make([]metric.Int64ObservableCounter, 0, 4)
	for _, c := range []struct{ name, about string }{
		{"in", "Events that the stage took."}, {"out", "Events that the next stage has acknowledged."},
		{"filtered", "Events left out on purpose."}, {"dead_lettered", "Events set aside because they could not go on."},
	} {
		o, err := m.Int64ObservableCounter(fmt.Sprintf("weirflow_%s_events_%s", service, c.name), metric.WithDescription(c.about))
		if err != nil {
			return nil, fmt.Errorf("make ledger metrics: %w", err)
		}
		counters = append(counters, o)
	}
	flight, err := m.Int64ObservableGauge(fmt.Sprintf("weirflow_%s_events_in_flight", service), metric.WithDescription("Events taken and not yet accounted for."))
	if err != nil {
		return nil, fmt.Errorf("make ledger metrics: %w", err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, a := range b.Accounts() {
			at := metric.WithAttributes(attribute.String("stage", a.Name))
			for i, n := range []uint64{a.In, a.Out, a.Filtered, a.DeadLettered} {
				o.ObserveInt64(counters[i], int64(n), at)
			}
			o.ObserveInt64(flight, int64(a.InFlight), at)
		}
		return nil
	}, counters[0], counters[1], counters[2], counters[3], flight)
	if err != nil {
		return nil, fmt.Errorf("register ledger metrics: %w", err)
	}
	return b, nil
}

// Stage returns the stage of a name, making it at the first call.
func (b *Book) Stage(name string) *Stage {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stages[name]
	if s == nil {
		s = &Stage{name: name}
		b.stages[name] = s
	}
	return s
}

// Close forgets a stage, for one that has been deleted.
func (b *Book) Close(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.stages, name)
}

// Accounts returns the counts of all stages by name.
func (b *Book) Accounts() []Account {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Account, 0, len(b.stages))
	for _, s := range b.stages {
		out = append(out, s.Account())
	}
	slices.SortFunc(out, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Server answers LedgerService for a book.
type Server struct {
	ledgerv1.UnimplementedLedgerServiceServer
	Book *Book
}

// GetLedger returns the counts of all stages.
func (s Server) GetLedger(context.Context, *ledgerv1.GetLedgerRequest) (*ledgerv1.GetLedgerResponse, error) {
	return &ledgerv1.GetLedgerResponse{Stages: s.Book.Stages()}, nil
}

// Stages returns the counts of all stages by name, as the API shows them.
func (b *Book) Stages() []*ledgerv1.Stage {
	var all []*ledgerv1.Stage
	for _, a := range b.Accounts() {
		all = append(all, b.Proto(a))
	}
	return all
}

// Proto renders an account as the API shows it.
func (b *Book) Proto(a Account) *ledgerv1.Stage {
	return &ledgerv1.Stage{
		Service: b.service, Instance: b.instance, Name: a.Name, In: a.In, Out: a.Out,
		Filtered: a.Filtered, DeadLettered: a.DeadLettered, InFlight: a.InFlight,
	}
}
