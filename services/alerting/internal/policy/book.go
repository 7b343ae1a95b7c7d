package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/alerting/internal/query"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

const (
	// Topic is the compacted topic of policies.
	Topic = "weirflow.policies"
	// rest is for how long the engine is left alone after a change.
	rest = 100 * time.Millisecond
)

// ErrNotFound says that there is no policy of a name.
var ErrNotFound = errors.New("there is no policy of this name")

// Engine evaluates rules and queries.
type Engine interface {
	Parser() parser.Parser
	// SetRules replaces the groups of rules that are evaluated.
	SetRules(groups map[string]*rulefmt.RuleGroups) error
	QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) (query.Result, error)
}

// Jobs carries out the policies that look for patterns in lines.
type Jobs interface {
	// Check says what is wrong with one, and returns its statements.
	Check(p *alertv1.Policy) (string, error)
	Put(ctx context.Context, p *alertv1.Policy) error
	Delete(ctx context.Context, policy string) error
	// Past says when one would have fired.
	Past(ctx context.Context, p *alertv1.Policy, from, to time.Time) ([]logpattern.Run, error)
}

// Book keeps the policies.
type Book struct {
	engine   Engine
	jobs     Jobs
	compile  compiler
	log      *slog.Logger
	now      func() time.Time
	policies *table.Table[*alertv1.Policy]
	changed  chan struct{}
	write    sync.Mutex
}

// NewBook prepares a book. Kafka need not be there yet.
func NewBook(cfg kafka.Config, e Engine, jobs Jobs, now func() time.Time, log *slog.Logger) (*Book, error) {
	b := &Book{engine: e, jobs: jobs, compile: compiler{e.Parser()}, log: log, now: now, changed: make(chan struct{}, 1)}
	var err error
	b.policies, err = table.New(table.Config{Kafka: cfg, Topic: Topic, Logger: log}, func() *alertv1.Policy { return &alertv1.Policy{} })
	if err != nil {
		return nil, err
	}
	b.policies.Watch(func(string, *alertv1.Policy, bool) {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	})
	return b, nil
}

// Run has the engine evaluate the policies until the context ends.
func (b *Book) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- b.policies.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-b.policies.Ready():
	}
	for {
		all, bad := groups(b.policies.All(), b.compile)
		for name, err := range bad { // it was right when it was taken in: another version wrote it
			b.log.Error("a policy is not evaluated", "policy", name, "error", err)
		}
		if err := b.engine.SetRules(all); err != nil {
			b.log.Error("the policies are not evaluated as they stand", "error", err)
		}
		select {
		case err := <-ended:
			return err
		case <-b.changed:
		}
		select { // several may change at once
		case err := <-ended:
			return err
		case <-time.After(rest):
		}
	}
}

// Ready is closed when the policies are known.
func (b *Book) Ready() <-chan struct{} { return b.policies.Ready() }

// Put keeps a policy and returns its query.
func (b *Book) Put(ctx context.Context, p *alertv1.Policy) (*alertv1.Policy, string, error) {
	b.write.Lock()
	defer b.write.Unlock()
	expr, err := b.check(p)
	if err != nil {
		return nil, "", err
	}
	kept, _ := proto.Clone(p).(*alertv1.Policy)
	kept.UpdatedAt = timestamppb.New(b.now())
	if off, is := b.engine.(interface{ Off() bool }); is && off.Off() && p.GetLogPattern() == nil {
		return nil, "", fmt.Errorf("the policy would not be evaluated: %w", query.ErrNone)
	}
	old, _ := b.policies.Get(p.GetName())
	switch {
	case p.GetLogPattern() != nil:
		err = b.jobs.Put(ctx, kept)
	case old.GetLogPattern() != nil:
		err = b.jobs.Delete(ctx, p.GetName())
	}
	if err != nil {
		return nil, "", err
	}
	return kept, expr, b.policies.Put(ctx, p.GetName(), kept)
}

// check says what is wrong with a policy, its templates included.
func (b *Book) check(p *alertv1.Policy) (string, error) {
	expr, err := b.expr(p)
	if err != nil || p.GetLogPattern() != nil {
		return expr, err
	}
	g := rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: p.GetName(), Rules: []rulefmt.Rule{rule(p, expr)}}}}
	for _, r := range g.Groups[0].Rules {
		for _, e := range r.Validate(rulefmt.RuleNode{}, namesAllowed, b.compile.parser) {
			return "", wrong("%s", e.Error())
		}
	}
	return expr, nil
}

// expr is the query of a policy, or the statements of its job.
func (b *Book) expr(p *alertv1.Policy) (string, error) {
	if p.GetLogPattern() == nil {
		return b.compile.expr(p)
	}
	if err := b.compile.common(p); err != nil {
		return "", err
	}
	return b.jobs.Check(p)
}

// Get returns a policy and its query.
func (b *Book) Get(name string) (*alertv1.Policy, string, error) {
	p, ok := b.policies.Get(name)
	if !ok {
		return nil, "", fmt.Errorf("policy %q: %w", name, ErrNotFound)
	}
	expr, err := b.expr(p)
	return p, expr, err
}

// List returns the policies by name.
func (b *Book) List() []*alertv1.Policy {
	var all []*alertv1.Policy
	for _, p := range b.policies.All() {
		all = append(all, p)
	}
	slices.SortFunc(all, func(x, y *alertv1.Policy) int { return strings.Compare(x.GetName(), y.GetName()) })
	return all
}

// Delete forgets a policy; its alerts end.
func (b *Book) Delete(ctx context.Context, name string) error {
	b.write.Lock()
	defer b.write.Unlock()
	p, ok := b.policies.Get(name)
	if !ok {
		return fmt.Errorf("policy %q: %w", name, ErrNotFound)
	}
	if p.GetLogPattern() != nil {
		if err := b.jobs.Delete(ctx, name); err != nil {
			return err
		}
	}
	return b.policies.Delete(ctx, name)
}
