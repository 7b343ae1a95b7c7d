package store

import (
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// Action is what an operation does.
type Action uint8

// The actions.
const (
	Put Action = iota // index
	Create
	Update
	Delete
)

// Op is one operation on one document.
type Op struct {
	Action Action
	ID     string
	// Source is the document, or an update's body.
	Source []byte
	// IfSeq and IfTerm are conditions; -1 for none.
	IfSeq, IfTerm int64
	// Version is an external version; -1 for none.
	Version int64
	GTE     bool // external_gte
	Auto    bool // the id was made here
}

// NewOp returns an operation without conditions.
func NewOp(a Action, id string, src []byte) Op {
	return Op{Action: a, ID: id, Source: src, IfSeq: -1, IfTerm: -1, Version: -1}
}

// Result is what became of an operation.
type Result struct {
	ID           string
	Word         string // created, updated, deleted, noop, not_found
	Status       int
	Version, Seq int64
	Err          *apierr.Error
	Source       []byte // of an update: the document as it is now
}

func conflict(ix *Index, id, format string, args ...any) *apierr.Error {
	e := apierr.New(http.StatusConflict, "version_conflict_engine_exception", "["+strings.ReplaceAll(id, "%", "%%")+"]: "+format, args...)
	return ix.onShard(e)
}

func missing(ix *Index, id string) *apierr.Error {
	return ix.onShard(apierr.New(http.StatusNotFound, "document_missing_exception", "[%s]: document missing", id))
}

// onShard adds where an error of a document happened.
func (ix *Index) onShard(e *apierr.Error) *apierr.Error {
	e.Index = ix.Name
	e.Fields = append(e.Fields, apierr.Field{Name: "index_uuid", Value: jsondoc.Str(ix.UUID)}, apierr.Field{Name: "shard", Value: jsondoc.Str("0")})
	return e
}

// patch is a parsed update body.
type patch struct {
	doc, upsert *jsondoc.Value
	docAsUpsert bool
	detectNoop  bool
}

func parsePatch(b []byte) (*patch, *apierr.Error) {
	v, err := jsondoc.Parse(b)
	if err != nil {
		return nil, apierr.Syntax(err)
	}
	if !v.Is(jsondoc.Object) {
		return nil, apierr.XContent("[1:1] [UpdateRequest] expected an object")
	}
	p := &patch{detectNoop: true}
	for i, k := range v.Keys {
		x := v.Items[i]
		switch k {
		case "doc":
			p.doc = x
		case "upsert":
			p.upsert = x
		case "doc_as_upsert":
			p.docAsUpsert, _ = x.Truth()
		case "detect_noop":
			p.detectNoop, _ = x.Truth()
		case "_source", "if_seq_no", "if_primary_term":
		case "script", "scripted_upsert":
			return nil, apierr.Unsupported("scripts are not supported: send the changed members in [doc]")
		default:
			return nil, apierr.XContent("[1:1] [UpdateRequest] unknown field [%s]", k)
		}
	}
	if p.doc == nil {
		e := apierr.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: script or doc is missing;")
		return nil, e
	}
	if p.doc != nil && !p.doc.Is(jsondoc.Object) || p.upsert != nil && !p.upsert.Is(jsondoc.Object) {
		return nil, apierr.XContent("[1:1] [UpdateRequest] [doc] and [upsert] must be objects")
	}
	return p, nil
}
