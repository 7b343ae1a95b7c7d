// Package apierr holds the error that the search API answers with: an HTTP
// status, Elasticsearch's exception type and a reason that a person can act on.
package apierr

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// Error is an API error in Elasticsearch's shape.
type Error struct {
	Status int
	Type   string
	Reason string
	// Index, when set, is written into the error object.
	Index string
	// Fields are further members of the error object, in order.
	Fields []Field
	// Cause is written as caused_by.
	Cause *Error
	// Shard marks errors that Elasticsearch wraps in a
	// search_phase_execution_exception because they happen on the shard.
	Shard bool
	// Others are the errors of each index, when several were searched.
	Others []*Error
	// NoRoot leaves the root causes out, as coordinator side failures do.
	NoRoot bool
	// Wrap, when set, is the type shown at the top while this error is the
	// root cause.
	Wrap *Error
}

// Field is one further member of an error object.
type Field struct {
	Name  string
	Value *jsondoc.Value
}

// Error makes Error an error.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Type + ": " + e.Reason + ": " + e.Cause.Error()
	}
	return e.Type + ": " + e.Reason
}

// New returns an error with a formatted reason.
func New(status int, typ, format string, args ...any) *Error {
	reason := format
	if len(args) > 0 {
		reason = fmt.Sprintf(format, args...)
	}
	return &Error{Status: status, Type: typ, Reason: reason}
}

// Illegal returns an illegal_argument_exception (400).
func Illegal(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "illegal_argument_exception", format, args...)
}

// Parsing returns a parsing_exception (400).
func Parsing(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "parsing_exception", format, args...)
}

// XContent returns an x_content_parse_exception (400).
func XContent(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "x_content_parse_exception", format, args...)
}

// OnShard returns an error that a search reports as a shard failure.
func OnShard(typ, format string, args ...any) *Error {
	e := New(http.StatusBadRequest, typ, format, args...)
	e.Shard = true
	return e
}

// Unsupported says that a feature is not built into this store.
func Unsupported(format string, args ...any) *Error {
	return New(http.StatusNotImplemented, "unsupported_operation_exception", format, args...)
}

// NotFoundIndex is the error for an index that does not exist.
func NotFoundIndex(name string) *Error {
	e := New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", name)
	e.Index = name
	e.Fields = []Field{
		{"resource.type", jsondoc.Str("index_or_alias")},
		{"resource.id", jsondoc.Str(name)},
		{"index_uuid", jsondoc.Str("_na_")},
	}
	return e
}

// Syntax turns a JSON syntax error into the error of a broken request body.
func Syntax(err error) *Error {
	var se *jsondoc.SyntaxError
	if errors.As(err, &se) && se.EOF {
		e := New(http.StatusBadRequest, "x_content_e_o_f_exception", "[1:%d] Unexpected end of file", se.Offset+1)
		return e
	}
	off := 0
	if se != nil {
		off = se.Offset
	}
	e := XContent("[1:%d] %s", off+1, err.Error())
	return e
}

// Of turns any error into an API error; unknown ones become a 500.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(http.StatusInternalServerError, "exception", "%s", err.Error())
}

// Object renders the error object without root causes.
func (e *Error) Object() *jsondoc.Value {
	o := jsondoc.Obj("type", e.Type, "reason", e.Reason)
	for _, f := range e.Fields {
		o.Set(f.Name, f.Value)
	}
	if e.Index != "" {
		o.Set("index", jsondoc.Str(e.Index))
	}
	if e.Cause != nil {
		o.Set("caused_by", e.Cause.Object())
	}
	return o
}

// Full renders the error with its root causes, as a whole request answers.
func (e *Error) Full() *jsondoc.Value {
	top := e
	if e.Wrap != nil {
		top = e.Wrap
	}
	root := jsondoc.Arr()
	switch {
	case e.NoRoot:
	case e.Wrap != nil:
		root.Add(e.plain())
	case e.Type == "parsing_exception" || e.Type == "x_content_parse_exception":
		root.Add(e.rootOf().plain())
	default:
		root.Add(e.plain())
	}
	o := jsondoc.Obj("root_cause", root)
	body := top.Object()
	for i, k := range body.Keys {
		o.Set(k, body.Items[i])
	}
	return o
}

func (e *Error) rootOf() *Error {
	r := e
	for r.Cause != nil && (strings.HasPrefix(r.Cause.Type, "parsing_") || r.Cause.Type == "x_content_parse_exception") {
		r = r.Cause
	}
	return r
}

func (e *Error) plain() *jsondoc.Value {
	c := *e
	c.Cause = nil
	return c.Object()
}
