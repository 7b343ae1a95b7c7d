// Package texts keeps the templates of messages, shows what becomes of them, and tries
// receivers.
package texts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

const (
	// Topic is the compacted topic of templates.
	Topic = "weirflow.templates"
	// maxText and maxTemplates bound what is kept.
	maxText, maxTemplates = 64 << 10, 1000
	// rest is for how long the engine is left alone after a change: several may come.
	rest = 200 * time.Millisecond
)

var (
	// ErrNotFound says that there is no template of an id.
	ErrNotFound = errors.New("there is no such template")
	// ErrInput is wrapped by what is wrong with a template.
	ErrInput = errors.New("the template is not right")
)

// Book keeps templates.
type Book struct {
	now     func() time.Time
	log     *slog.Logger
	rows    *table.Table[*alertv1.Template]
	word    *regexp.Regexp
	changed chan struct{}
	taken   chan struct{}
	write   sync.Mutex
}

// NewBook prepares a book. Kafka need not be there yet.
func NewBook(cfg kafka.Config, now func() time.Time, log *slog.Logger) (*Book, error) {
	rows, err := table.New(table.Config{Kafka: cfg, Topic: Topic, Logger: log}, func() *alertv1.Template { return &alertv1.Template{} })
	if err != nil {
		return nil, err
	}
	b := &Book{now: now, log: log, rows: rows, word: regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`), changed: make(chan struct{}, 1), taken: make(chan struct{})}
	rows.Watch(func(string, *alertv1.Template, bool) {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	})
	return b, nil
}

// Known is closed when the templates are known and taken.
func (b *Book) Known() <-chan struct{} { return b.taken }

// Run reads the templates until the context ends, and has them taken whenever they
// changed.
func (b *Book) Run(ctx context.Context, take func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- b.rows.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-b.rows.Ready():
	}
	refresh := func() {
		if err := take(); err != nil {
			b.log.Error("templates are not taken: the old ones stay", "error", err)
		}
	}
	if len(b.rows.All()) > 0 {
		refresh()
	}
	close(b.taken)
	for {
		select {
		case err := <-ended:
			return err
		case <-b.changed:
		}
		select {
		case err := <-ended:
			return err
		case <-time.After(rest):
		}
		refresh()
	}
}

// Texts are the templates by id.
func (b *Book) Texts() map[string]string {
	all := make(map[string]string)
	for id, t := range b.rows.All() {
		all[id] = t.GetText()
	}
	return all
}

// id is what the configuration calls a template.
func id(t *alertv1.Template) string {
	parts := slices.DeleteFunc([]string{t.GetName(), t.GetChannel(), t.GetLanguage()}, func(s string) bool { return s == "" })
	return strings.Join(parts, ".")
}

// Put keeps a template that check finds right.
func (b *Book) Put(ctx context.Context, t *alertv1.Template, check func(id, text string) error) (*alertv1.Template, error) {
	for _, part := range []string{t.GetName(), t.GetChannel()} {
		if !b.word.MatchString(part) && (part == t.GetName() || part != "") {
			return nil, fmt.Errorf("%w: name and channel are letters, digits, - and _, not %q", ErrInput, part)
		}
	}
	if l := t.GetLanguage(); l != "" && l != message.English && l != message.Chinese {
		return nil, fmt.Errorf("%w: language %q is neither en nor zh", ErrInput, l)
	}
	if t.GetText() == "" || len(t.GetText()) > maxText || len(t.GetDescription()) > maxText {
		return nil, fmt.Errorf("%w: text is required, and it has at most %d bytes", ErrInput, maxText)
	}
	kept, _ := proto.Clone(t).(*alertv1.Template)
	kept.Id, kept.Shipped, kept.UpdatedAt = id(t), false, timestamppb.New(b.now())
	if err := check(kept.GetId(), t.GetText()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	b.write.Lock()
	defer b.write.Unlock()
	if _, ok := b.rows.Get(kept.GetId()); !ok && len(b.rows.All()) >= maxTemplates {
		return nil, fmt.Errorf("%w: there are %d templates already", ErrInput, maxTemplates)
	}
	return kept, b.rows.Put(ctx, kept.GetId(), kept)
}

// Get returns a template: one that was put, or else a shipped one.
func (b *Book) Get(id string) (*alertv1.Template, error) {
	if t, ok := b.rows.Get(id); ok {
		return t, nil
	}
	if t := shipped()[id]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("template %q: %w", id, ErrNotFound)
}

// List returns all, by id.
func (b *Book) List() []*alertv1.Template {
	all := shipped()
	maps.Copy(all, b.rows.All())
	out := make([]*alertv1.Template, 0, len(all))
	for _, t := range all {
		out = append(out, t)
	}
	slices.SortFunc(out, func(x, y *alertv1.Template) int { return strings.Compare(x.GetId(), y.GetId()) })
	return out
}

// Delete forgets a template that was put.
func (b *Book) Delete(ctx context.Context, id string) error {
	b.write.Lock()
	defer b.write.Unlock()
	if _, ok := b.rows.Get(id); !ok {
		return fmt.Errorf("template %q: %w", id, ErrNotFound)
	}
	return b.rows.Delete(ctx, id)
}

// shipped are the templates that come with Weirflow.
func shipped() map[string]*alertv1.Template {
	all := make(map[string]*alertv1.Template)
	for id, block := range message.Texts() {
		text := strings.TrimSuffix(strings.TrimPrefix(block, `{{ define "`+id+`" }}`), `{{ end }}`)
		parts := append(strings.SplitN(id, ".", 3), "", "")
		all[id] = &alertv1.Template{Id: id, Name: parts[0], Channel: parts[1], Language: parts[2], Text: text, Shipped: true}
	}
	for _, t := range all { // weirflow.one.summary has no language
		if l := t.GetLanguage(); l != "" && l != message.English && l != message.Chinese {
			t.Channel, t.Language = t.GetChannel()+"."+l, ""
		}
	}
	return all
}
