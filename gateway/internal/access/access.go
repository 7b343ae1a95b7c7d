package access

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirflow/weirflow/gateway/internal/limit"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// readyWithin is for how long a request waits for what is known to be read.
const readyWithin = 5 * time.Second

// Deps are what access is given.
type Deps struct {
	Logger *slog.Logger
	// Kafka keeps users, tokens and sessions; without brokers there are none.
	Kafka kafka.Config
	// Token is the configured one: who brings it is an administrator.
	Token secret.String
	// Loopback says that only this machine reaches the port: while nobody is configured,
	// everybody there may do everything.
	Loopback bool
	// TLS says that the port speaks TLS.
	TLS bool
	// Routes is the document from which the REST router was generated.
	Routes []byte
	// Audit takes what is to be written down.
	Audit Auditor
	Now   func() time.Time
}

// Auditor writes entries down; it does not block.
type Auditor interface {
	Write(e *accessv1.AuditEntry)
}

// Access knows who may do what.
type Access struct {
	cfg     Config
	d       Deps
	log     *slog.Logger
	rules   map[string]rule
	routes  routes
	store   *store // nil without a Kafka
	hashes  *hasher
	rate    *limit.Rate
	refused *limit.Rate // of entries of the audit log about strangers
	guesses guesses
	known   recentLogins
	proxies []netip.Prefix
	public  *url.URL // nil if not configured
	oidc    *provider

	// change is held while users and tokens are changed.
	change sync.Mutex
}

// New prepares it; Kafka and the OpenID provider need not be there yet.
func New(cfg Config, d Deps) (*Access, error) {
	a := &Access{
		cfg: cfg, d: d, log: d.Logger, rules: rules(), hashes: newHasher(cfg.Hash),
		rate: limit.NewRate(cfg.Rate.PerSecond, cfg.Rate.Burst, d.Now), refused: limit.NewRate(1, 50, d.Now),
		guesses: newGuesses(d.Now), known: recentLogins{now: d.Now, until: map[string]time.Time{}},
	}
	var err error
	if a.routes, err = readRoutes(d.Routes); err != nil {
		return nil, err
	}
	if a.proxies, err = parseNetworks(cfg.TrustedProxies); err != nil {
		return nil, err
	}
	if cfg.PublicURL != "" {
		if a.public, err = url.Parse(cfg.PublicURL); err != nil {
			return nil, err
		}
	}
	if len(d.Kafka.Brokers) > 0 {
		if a.store, err = newStore(d.Kafka, d.Logger, d.Now); err != nil {
			return nil, err
		}
	}
	if cfg.OIDC.Issuer != "" {
		a.oidc = newProvider(cfg.OIDC, a.public, d.Now)
	}
	return a, nil
}

// Run reads what is known, makes the first administrator and forgets what has ended,
// until the context ends.
func (a *Access) Run(ctx context.Context) error {
	if a.store == nil {
		<-ctx.Done()
		return nil
	}
	var keeping sync.WaitGroup
	keeping.Go(func() { a.keep(ctx) })
	defer keeping.Wait()
	return a.store.run(ctx)
}

// secure reports whether browsers reach the gateway by TLS.
func (a *Access) secure() bool {
	return a.d.TLS || (a.public != nil && a.public.Scheme == "https")
}

// closable reports whether the configuration leaves it to the users that there are
// whether somebody must log in.
func (a *Access) closable() bool { return a.d.Loopback && a.d.Token == "" && !a.cfg.Guarded() }

// open reports whether everybody on this machine may do everything. What is not read
// yet is not open.
func (a *Access) open() bool {
	if !a.closable() {
		return false
	}
	return a.store == nil || (a.store.ready() && len(a.store.users.All()) == 0)
}

// ready waits a moment for what is known to be read.
func (a *Access) ready(ctx context.Context) error {
	if a.store == nil || a.store.ready() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if a.store.wait(ctx) != nil {
		return status.Error(codes.Unavailable, "users and tokens have not been read from Kafka yet; if this lasts, see the log: are --kafka.brokers right?")
	}
	return nil
}

// keeps says why users and tokens can't be kept, if so.
func (a *Access) keeps() error {
	if a.store == nil {
		return status.Error(codes.FailedPrecondition, "users, tokens and sessions can't be kept: the gateway knows no Kafka (kafka.brokers)")
	}
	return nil
}

func (a *Access) stamp() *timestamppb.Timestamp { return timestamppb.New(a.d.Now()) }

// kept turns a failure of Kafka into an answer.
func kept(what string, err error) error {
	if err == nil {
		return nil
	}
	return status.Errorf(codes.Unavailable, "%s: Kafka does not take it: %v", what, err)
}
