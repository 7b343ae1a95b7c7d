package access

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// check says why a caller may not make a call; nil if he may.
func (a *Access) check(c *Caller, method string) error {
	r, ok := a.rules[method]
	switch {
	case !ok:
		return status.Errorf(codes.PermissionDenied, "no rule says who may call %s, so nobody may", method)
	case r.role == anybody:
		return nil
	case !c.Known():
		return status.Error(codes.Unauthenticated, "log in, or bring a valid bearer token")
	case c.Role < r.role:
		return status.Errorf(codes.PermissionDenied, "this needs the role %s, and yours is %s", roleName(r.role), roleName(c.Role))
	case !c.inScope(r.area):
		return status.Errorf(codes.PermissionDenied, "this token is for %s only, and this needs %q", strings.Join(c.Scopes, ", "), r.area)
	}
	return nil
}

// record is what becomes an entry of the audit log.
type record struct {
	entry *accessv1.AuditEntry
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{entry: &accessv1.AuditEntry{}}
}

// begin makes the record of a call.
func (a *Access) begin(ctx context.Context, method, target string) (context.Context, *record) {
	c := From(ctx)
	r := &record{&accessv1.AuditEntry{At: a.stamp(), User: c.User, Token: c.Token, Address: c.Address, Method: method, Target: target, Code: codes.OK.String()}}
	return context.WithValue(ctx, recordKey{}, r), r
}

// end notes how the call ended. What is wrong with a request can quote it, and so what
// is secret in it: that text is left out.
func (r *record) end(err error) {
	s := status.Convert(err)
	r.entry.Code, r.entry.Message = s.Code().String(), s.Message()
	if s.Code() == codes.InvalidArgument {
		r.entry.Message = ""
	}
}

// MuxOptions make a REST router ask for each call whether it may be made, after it has
// found which it is and before it makes it, and write changes down.
func (a *Access) MuxOptions() []runtime.ServeMuxOption {
	return []runtime.ServeMuxOption{
		runtime.WithMiddlewares(a.rest),
		runtime.WithErrorHandler(func(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
			recordOf(ctx).end(err)
			runtime.DefaultHTTPErrorHandler(ctx, mux, m, challenge{w}, r, err)
		}),
		runtime.WithStreamErrorHandler(func(ctx context.Context, err error) *status.Status {
			recordOf(ctx).end(err)
			return runtime.DefaultStreamErrorHandler(ctx, err)
		}),
		runtime.WithForwardResponseOption(func(ctx context.Context, _ http.ResponseWriter, m proto.Message) error {
			if r := recordOf(ctx); r.entry.GetTarget() == "" {
				r.entry.Target = nameIn(m, 1)
			}
			return nil
		}),
	}
}

// challenge says how to log in, where the router would repeat its error.
type challenge struct{ http.ResponseWriter }

// WriteHeader sets the header of who has to log in.
func (c challenge) WriteHeader(code int) {
	if code == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", bearerRealm)
	}
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap lets a ResponseController through.
func (c challenge) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (a *Access) rest(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		pattern := ""
		if p, ok := runtime.HTTPPattern(r.Context()); ok {
			pattern = p.String()
		}
		method, ok := a.routes[r.Method+" "+pattern]
		if !ok {
			method = r.Method + " " + pattern // which no rule has
		}
		a.call(w, r, method, target(pattern, params), func(w http.ResponseWriter, r *http.Request) { next(w, r, params) })
	}
}

// Guard is for handlers that are no call of the REST router: method is the rule's name.
func (a *Access) Guard(method string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.call(w, r, method, "", next.ServeHTTP) })
}

func (a *Access) call(w http.ResponseWriter, r *http.Request, method, target string, next http.HandlerFunc) {
	ctx, rec := a.begin(r.Context(), method, target)
	if err := a.check(From(ctx), method); err != nil {
		rec.end(err)
		a.write(rec.entry)
		a.fail(w, err)
		return
	}
	next(w, r.WithContext(ctx))
	if a.rules[method].audited || rec.entry.GetCode() == codes.PermissionDenied.String() {
		a.write(rec.entry)
	}
}

// write writes an entry down; of strangers at one address only so many.
func (a *Access) write(e *accessv1.AuditEntry) {
	if e.GetUser() == "" && e.GetToken() == "" && !a.open() {
		if _, ok := a.refused.Allow(neighbourhood(e.GetAddress())); !ok {
			return
		}
	}
	a.d.Audit.Write(e)
}

var placeholder = regexp.MustCompile(`\{([^}=]+)`) //nolint:gochecknoglobals // a constant of its kind

// target is what a path names, in its order.
func target(pattern string, params map[string]string) string {
	var parts []string
	for _, m := range placeholder.FindAllStringSubmatch(pattern, -1) {
		parts = append(parts, params[m[1]])
	}
	return strings.Join(parts, "/")
}

// nameIn is the name, or what serves as one, of what an answer is about.
func nameIn(m proto.Message, deep int) string {
	if m == nil {
		return ""
	}
	ref := m.ProtoReflect()
	fields := ref.Descriptor().Fields()
	for _, name := range []protoreflect.Name{"name", "id", "topic"} {
		if f := fields.ByName(name); f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() {
			if s := ref.Get(f).String(); s != "" {
				return s
			}
		}
	}
	if deep == 0 {
		return ""
	}
	for i := range fields.Len() {
		if f := fields.Get(i); f.Kind() == protoreflect.MessageKind && !f.IsList() && !f.IsMap() && ref.Has(f) {
			if s := nameIn(ref.Get(f).Message().Interface(), deep-1); s != "" {
				return s
			}
		}
	}
	return ""
}

// Scopes are the areas to which a token can be bound, sorted.
func (a *Access) Scopes() []string { return slices.Clone(areas(a.rules)) }
