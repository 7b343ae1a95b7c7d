package oncall

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/phone"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

const (
	// PeopleTopic is the compacted topic of people.
	PeopleTopic = "weirflow.people"
	// RotasTopic is the compacted topic of rotas.
	RotasTopic = "weirflow.rotas"
	// maxEntries bounds each of them, maxContacts and maxText a person.
	maxEntries, maxContacts, maxText = 10_000, 20, 1000
	// past is for how long an override that is over is kept.
	past = 30 * 24 * time.Hour
)

var (
	// ErrNotFound says that there is nothing of a name.
	ErrNotFound = errors.New("there is none of this name")
	// ErrUsed says that a person cannot go.
	ErrUsed = errors.New("a rota names this person")
)

// Book keeps people and rotas.
type Book struct {
	now    func() time.Time
	people *table.Table[*alertv1.Person]
	rotas  *table.Table[*alertv1.Rota]
	name   *regexp.Regexp
	kind   *regexp.Regexp
	write  sync.Mutex
}

// NewBook prepares a book. Kafka need not be there yet.
func NewBook(cfg kafka.Config, now func() time.Time, log *slog.Logger) (*Book, error) {
	people, err := table.New(table.Config{Kafka: cfg, Topic: PeopleTopic, Logger: log}, func() *alertv1.Person { return &alertv1.Person{} })
	if err != nil {
		return nil, err
	}
	rotas, err := table.New(table.Config{Kafka: cfg, Topic: RotasTopic, Logger: log}, func() *alertv1.Rota { return &alertv1.Rota{} })
	return &Book{now: now, people: people, rotas: rotas, name: regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`), kind: regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)}, err
}

// Run reads the topics until the context ends.
func (b *Book) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, 2)
	go func() { errs <- b.people.Run(ctx) }()
	go func() { errs <- b.rotas.Run(ctx) }()
	err := <-errs
	cancel()
	return errors.Join(err, <-errs)
}

// Known are closed when people and rotas are known.
func (b *Book) Known() []<-chan struct{} {
	return []<-chan struct{}{b.people.Ready(), b.rotas.Ready()}
}

// Ready reports whether people and rotas are known.
func (b *Book) Ready() bool {
	for _, c := range b.Known() {
		select {
		case <-c:
		default:
			return false
		}
	}
	return true
}

// Contact is how who is on call now is reached, or the first of other that is not empty
// where nobody is or has no such contact.
func (b *Book) Contact(rota, kind string, other ...string) (string, error) {
	contact, err := b.contact(rota, kind)
	if err == nil {
		return contact, nil
	}
	for _, o := range other {
		if o != "" {
			return o, nil
		}
	}
	return "", err
}

func (b *Book) contact(rota, kind string) (string, error) {
	if !b.Ready() {
		return "", errors.New("the rotas have not been read from Kafka yet")
	}
	r, ok := b.rotas.Get(rota)
	if !ok {
		return "", fmt.Errorf("rota %q: %w", rota, ErrNotFound)
	}
	s, err := NewSchedule(r)
	if err != nil {
		return "", err
	}
	name := s.Person(b.now())
	if name == "" {
		return "", fmt.Errorf("nobody is on call in the rota %q", rota)
	}
	p, _ := b.people.Get(name)
	switch kind {
	case "name":
		return name, nil
	case "display_name":
		if d := p.GetDisplayName(); d != "" {
			return d, nil
		}
		return name, nil
	}
	if c := p.GetContacts()[kind]; c != "" {
		return c, nil
	}
	return "", fmt.Errorf("%s, who is on call in the rota %q, has no contact %q", name, rota, kind)
}

// PutPerson keeps a person.
func (b *Book) PutPerson(ctx context.Context, p *alertv1.Person) (*alertv1.Person, error) {
	if err := b.checkPerson(p); err != nil {
		return nil, err
	}
	b.write.Lock()
	defer b.write.Unlock()
	if _, ok := b.people.Get(p.GetName()); !ok && len(b.people.All()) >= maxEntries {
		return nil, wrong("there are %d people already", maxEntries)
	}
	kept, _ := proto.Clone(p).(*alertv1.Person)
	kept.UpdatedAt = timestamppb.New(b.now())
	return kept, b.people.Put(ctx, p.GetName(), kept)
}

func (b *Book) checkPerson(p *alertv1.Person) error {
	if !b.name.MatchString(p.GetName()) {
		return wrong("name %q: it is letters, digits, -, _ and ., at most 100", p.GetName())
	}
	if len(p.GetContacts()) > maxContacts || len(p.GetDisplayName()) > maxText {
		return wrong("a person has at most %d contacts, and a name of %d bytes", maxContacts, maxText)
	}
	for kind, c := range p.GetContacts() {
		if !b.kind.MatchString(kind) || kind == "name" || kind == "display_name" {
			return wrong("contact %q: the kind is phone, email, wecom, dingtalk, feishu, or another word of small letters, digits and _", kind)
		}
		var err error
		switch kind {
		case "phone":
			_, err = phone.Normal(c)
		case "email":
			_, err = mail.ParseAddress(c)
		}
		if err != nil || c == "" || len(c) > maxText || strings.ContainsAny(c, "\r\n,") {
			return wrong("contact %s: %q is not one", kind, c)
		}
	}
	return nil
}

// Person returns a person.
func (b *Book) Person(name string) (*alertv1.Person, error) {
	p, ok := b.people.Get(name)
	if !ok {
		return nil, fmt.Errorf("person %q: %w", name, ErrNotFound)
	}
	return p, nil
}

// People returns all by name.
func (b *Book) People() []*alertv1.Person { return sorted(b.people.All()) }

// DeletePerson forgets a person.
func (b *Book) DeletePerson(ctx context.Context, name string) error {
	b.write.Lock()
	defer b.write.Unlock()
	if _, err := b.Person(name); err != nil {
		return err
	}
	for _, r := range b.Rotas() {
		if slices.Contains(named(r, b.now()), name) {
			return fmt.Errorf("person %q, rota %q: %w", name, r.GetName(), ErrUsed)
		}
	}
	return b.people.Delete(ctx, name)
}

// named lists the people of a rota, without those of overrides that are over.
func named(r *alertv1.Rota, now time.Time) []string {
	var all []string
	for _, l := range r.GetLayers() {
		all = append(all, l.GetPeople()...)
	}
	for _, o := range r.GetOverrides() {
		if o.GetTo().AsTime().After(now) {
			all = append(all, o.GetPerson())
		}
	}
	return all
}

// PutRota keeps a rota. Without overrides of its own, it has those of the one before.
func (b *Book) PutRota(ctx context.Context, r *alertv1.Rota) (*alertv1.Rota, error) {
	if !b.name.MatchString(r.GetName()) || len(r.GetDescription()) > maxText {
		return nil, wrong("name %q: it is letters, digits, -, _ and ., at most 100; a description has at most %d bytes", r.GetName(), maxText)
	}
	b.write.Lock()
	defer b.write.Unlock()
	old, ok := b.rotas.Get(r.GetName())
	if !ok && len(b.rotas.All()) >= maxEntries {
		return nil, wrong("there are %d rotas already", maxEntries)
	}
	kept, _ := proto.Clone(r).(*alertv1.Rota)
	if len(kept.GetOverrides()) == 0 {
		kept.Overrides = old.GetOverrides()
	}
	return kept, b.keep(ctx, kept)
}

// keep writes a rota once it is found right.
func (b *Book) keep(ctx context.Context, r *alertv1.Rota) error {
	now := b.now()
	r.Overrides = slices.DeleteFunc(slices.Clone(r.GetOverrides()), func(o *alertv1.Override) bool { return o.GetTo() != nil && now.Sub(o.GetTo().AsTime()) > past })
	for _, o := range r.GetOverrides() {
		if o.GetId() == "" {
			o.Id = uuid.NewString()
		}
	}
	if _, err := NewSchedule(r); err != nil {
		return err
	}
	for _, name := range named(r, now) {
		if _, ok := b.people.Get(name); !ok {
			return wrong("there is no person %q: put them first", name)
		}
	}
	r.UpdatedAt = timestamppb.New(now)
	return b.rotas.Put(ctx, r.GetName(), r)
}

// Rota returns a rota.
func (b *Book) Rota(name string) (*alertv1.Rota, error) {
	r, ok := b.rotas.Get(name)
	if !ok {
		return nil, fmt.Errorf("rota %q: %w", name, ErrNotFound)
	}
	return r, nil
}

// Rotas returns all by name.
func (b *Book) Rotas() []*alertv1.Rota { return sorted(b.rotas.All()) }

// DeleteRota forgets a rota.
func (b *Book) DeleteRota(ctx context.Context, name string) error {
	b.write.Lock()
	defer b.write.Unlock()
	if _, err := b.Rota(name); err != nil {
		return err
	}
	return b.rotas.Delete(ctx, name)
}

// AddOverride has another person be on call for some time.
func (b *Book) AddOverride(ctx context.Context, rota string, o *alertv1.Override) (*alertv1.Override, error) {
	if o == nil || len(o.GetReason()) > maxText {
		return nil, wrong("an override needs person, from and to, and has a reason of at most %d bytes", maxText)
	}
	b.write.Lock()
	defer b.write.Unlock()
	old, err := b.Rota(rota)
	if err != nil {
		return nil, err
	}
	if err := checkOverride(o); err != nil {
		return nil, err
	}
	added, _ := proto.Clone(o).(*alertv1.Override)
	added.Id = uuid.NewString()
	r, _ := proto.Clone(old).(*alertv1.Rota)
	r.Overrides = append(r.Overrides, added)
	return added, b.keep(ctx, r)
}

// DeleteOverride takes an override back.
func (b *Book) DeleteOverride(ctx context.Context, rota, id string) error {
	b.write.Lock()
	defer b.write.Unlock()
	old, err := b.Rota(rota)
	if err != nil {
		return err
	}
	r, _ := proto.Clone(old).(*alertv1.Rota)
	r.Overrides = slices.DeleteFunc(r.Overrides, func(o *alertv1.Override) bool { return o.GetId() == id })
	if len(r.Overrides) == len(old.GetOverrides()) {
		return fmt.Errorf("override %q of the rota %q: %w", id, rota, ErrNotFound)
	}
	return b.keep(ctx, r)
}

func sorted[M interface{ GetName() string }](rows map[string]M) []M {
	all := make([]M, 0, len(rows))
	for _, m := range rows {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b M) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}
