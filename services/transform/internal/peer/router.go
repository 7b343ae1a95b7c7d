package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const (
	// passedOn marks a call that came from another instance: it is not passed on again.
	passedOn = "weirflow-passed-on"
	askAgain = 150 * time.Millisecond
	askAfter = 2 * time.Second // how often it is asked whether an instance that is to answer still has the job
	askOne   = 3 * time.Second // how long one instance may take to tell of its jobs
)

// ErrNotHere is how an instance answers a call that was passed on to it for a job
// that it does not have.
var ErrNotHere = status.Error(codes.Aborted, "the job belongs to another instance")

// Config says how calls are passed on.
type Config struct {
	// Self is the name of this instance.
	Self string
	// Directory knows the others; nil when there are none.
	Directory *Directory
	// Slot is the share that a job belongs to, and Holds whether it is here.
	Slot  func(job string) int32
	Holds func(job string) bool
	// Dial connects to an address.
	Dial func(address string) (*grpc.ClientConn, error)
	// Patience bounds how long a call waits for the instance that takes a job over.
	Patience time.Duration
	Logger   *slog.Logger
}

// Router passes calls on. Its services are registered through it.
type Router struct {
	cfg    Config
	rules  map[string]Rule
	server grpc.ServiceRegistrar

	mu    sync.Mutex
	conns map[string]*grpc.ClientConn
}

// Rule says which instances answer a method; without one it is the one asked.
type Rule struct {
	// Job names the job that a request is about: its instance answers.
	Job func(req proto.Message) string
	// Last answers when that instance does not; nil for an error.
	Last func(req proto.Message, why error) (proto.Message, error)
	// Merge adds to an answer what another instance answers to the same request, or
	// that it did not: all instances answer then.
	Merge func(into, other proto.Message, from Instance, failed error)
}

// New makes a router for the services that are registered with it on a server.
// Rules are by full name of the method.
func New(cfg Config, server grpc.ServiceRegistrar, rules map[string]Rule) *Router {
	return &Router{cfg: cfg, rules: rules, server: server, conns: make(map[string]*grpc.ClientConn)}
}

// RegisterService registers a service whose calls go by the rules.
func (r *Router) RegisterService(desc *grpc.ServiceDesc, impl any) {
	d := *desc
	d.Methods = slices.Clone(desc.Methods)
	for i, m := range d.Methods {
		rule, ok := r.rules["/"+d.ServiceName+"/"+m.MethodName]
		if !ok {
			continue
		}
		d.Methods[i].Handler = func(srv any, ctx context.Context, dec func(any) error, outer grpc.UnaryServerInterceptor) (any, error) {
			return m.Handler(srv, ctx, dec, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, local grpc.UnaryHandler) (any, error) {
				route := func(ctx context.Context, req any) (any, error) {
					return r.route(ctx, rule, info.FullMethod, req, local)
				}
				if outer == nil {
					return route(ctx, req)
				}
				return outer(ctx, req, info, route)
			})
		}
	}
	r.server.RegisterService(&d, impl)
}

func (r *Router) route(ctx context.Context, rule Rule, method string, req any, local grpc.UnaryHandler) (any, error) {
	msg, ok := req.(proto.Message)
	if !ok || r.cfg.Directory == nil {
		return local(ctx, req)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	foreign := len(md.Get(passedOn)) > 0
	switch {
	case rule.Merge != nil:
		res, err := local(ctx, req)
		if into, ok := res.(proto.Message); ok && err == nil && !foreign {
			r.gather(ctx, rule, method, msg, into)
		}
		return res, err
	case rule.Job == nil || rule.Job(msg) == "":
		return local(ctx, req)
	case foreign:
		if !r.cfg.Holds(rule.Job(msg)) {
			return nil, ErrNotHere
		}
		return local(ctx, req)
	}
	return r.find(ctx, rule, method, msg, local)
}

// find has the instance answer that has the job, waiting for one that takes it over.
func (r *Router) find(ctx context.Context, rule Rule, method string, req proto.Message, local grpc.UnaryHandler) (any, error) {
	patience := r.cfg.Patience
	if rule.Last != nil {
		patience = min(patience, askOne)
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	job := rule.Job(req)
	var why error
	for {
		var res any
		var err error
		if r.cfg.Holds(job) {
			res, err = local(ctx, req)
		} else {
			res, err = r.pass(ctx, wait, rule, method, req)
		}
		if err == nil || !elsewhere(err) {
			return res, err
		}
		if why == nil || !errors.Is(err, errUnsettled) {
			why = err
		}
		select {
		case <-wait.Done():
			if rule.Last != nil {
				return rule.Last(req, why)
			}
			return nil, status.Errorf(codes.Unavailable, "no instance answers for job %q now; try again: %s", job, status.Convert(why).Message())
		case <-time.After(askAgain):
		}
	}
}

// elsewhere reports whether another instance may have to be asked.
func elsewhere(err error) bool {
	return status.Code(err) == codes.Aborted || errors.Is(err, errAway)
}

// errAway says that nobody could be asked.
var errAway = errors.New("nobody answers")

func (r *Router) pass(ctx, wait context.Context, rule Rule, method string, req proto.Message) (proto.Message, error) {
	ask, cancel := context.WithTimeout(wait, askOne)
	all, err := r.cfg.Directory.Instances(ask)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	slot := r.cfg.Slot(rule.Job(req))
	for _, x := range all {
		if !x.Has(slot) {
			continue
		}
		if x.Name == r.cfg.Self {
			return nil, fmt.Errorf("%w: this instance is about to take the job", errAway)
		}
		limit := ctx
		if rule.Last != nil {
			limit = wait
		}
		during, cancel := context.WithCancel(limit)
		defer cancel()
		go r.watch(during, cancel, x, slot)
		res, err := r.call(during, x, method, req)
		if code := status.Code(err); code == codes.Unavailable || during.Err() != nil && ctx.Err() == nil {
			r.retry(x.Address)
			return nil, fmt.Errorf("%w: instance %q at %s: %s", errAway, x.Name, x.Address, status.Convert(err).Message())
		}
		return res, err
	}
	return nil, fmt.Errorf("%w: no instance has the job yet", errAway)
}

// watch ends a call to an instance that has the job no more: one that stands still
// does not answer, and does not refuse.
func (r *Router) watch(ctx context.Context, cancel context.CancelFunc, x Instance, slot int32) {
	tick := time.NewTicker(askAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := r.cfg.Directory.Instances(ctx)
		if err == nil && !slices.ContainsFunc(all, func(o Instance) bool { return o.Name == x.Name && o.Has(slot) }) {
			cancel()
			return
		}
	}
}

// call asks an instance.
func (r *Router) call(ctx context.Context, x Instance, method string, req proto.Message) (proto.Message, error) {
	if x.Address == "" {
		return nil, status.Errorf(codes.Unavailable, "instance %q has not told where it is reached (advertise)", x.Name) // or it is not read yet
	}
	conn, err := r.connect(x.Address)
	if err != nil {
		return nil, err
	}
	res, err := answerOf(method)
	if err != nil {
		return nil, err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, passedOn, r.cfg.Self)
	if err := conn.Invoke(ctx, method, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

func (r *Router) connect(address string) (*grpc.ClientConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.conns[address]; c != nil {
		return c, nil
	}
	c, err := r.cfg.Dial(address)
	if err != nil {
		return nil, fmt.Errorf("connect to the instance at %s: %w", address, err)
	}
	r.conns[address] = c
	return c, nil
}

// retry has the next call dial anew, if the connection is broken, without waiting as
// long as gRPC would. Other calls may be under way on it.
func (r *Router) retry(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.conns[address]; c != nil {
		c.ResetConnectBackoff()
	}
}

// answerOf makes an empty answer of a method.
func answerOf(method string) (proto.Message, error) {
	name := protoreflect.FullName(dotted(method))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, fmt.Errorf("find method %s: %w", method, err)
	}
	m, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no method", name)
	}
	t, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return nil, fmt.Errorf("find the answer of %s: %w", method, err)
	}
	return t.New().Interface(), nil
}

// dotted makes the name of a method of how it is called: a.Service.Method of
// /a.Service/Method.
func dotted(method string) string {
	b := []byte(method[1:])
	for i, c := range b {
		if c == '/' {
			b[i] = '.'
		}
	}
	return string(b)
}

// gather asks all other instances and merges their answers.
func (r *Router) gather(ctx context.Context, rule Rule, method string, req, into proto.Message) {
	ctx, cancel := context.WithTimeout(ctx, askOne)
	defer cancel()
	all, err := r.cfg.Directory.Instances(ctx)
	if err != nil {
		r.cfg.Logger.Debug("ask the other instances", "error", err)
		rule.Merge(into, nil, Instance{}, err)
		return
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, x := range all {
		if x.Name == r.cfg.Self {
			continue
		}
		wg.Go(func() {
			res, err := r.call(ctx, x, method, req)
			mu.Lock()
			defer mu.Unlock()
			rule.Merge(into, res, x, err)
		})
	}
	wg.Wait()
}

// Close ends the connections.
func (r *Router) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, c := range r.conns {
		_ = c.Close()
		delete(r.conns, a)
	}
}
