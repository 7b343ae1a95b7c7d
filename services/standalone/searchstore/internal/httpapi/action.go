package httpapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// action is the first line of a bulk item.
type action struct {
	verb, index, id string
	hasID           bool
	ifSeq, ifTerm   int64
	version         int64
	versionType     string
	requireAlias    bool
	source          *jsondoc.Value
}

func malformedAction(line int, why string) error {
	return apierr.Illegal("Malformed action/metadata line [%d], %s", line, why)
}

// parseAction reads an action line without building a tree.
func parseAction(b []byte, line int) (action, error) {
	a := action{ifSeq: -1, ifTerm: -1, version: -1}
	i := jsondoc.Space(b, 0)
	if i >= len(b) || b[i] != '{' {
		if _, err := jsondoc.Parse(b); err != nil {
			return a, apierr.Syntax(err)
		}
		return a, malformedAction(line, "expected START_OBJECT but found something else")
	}
	key, _, i, err := jsondoc.String(b, jsondoc.Space(b, i+1))
	if err != nil {
		if i < len(b) && b[i] == '}' {
			return a, malformedAction(line, "expected FIELD_NAME but found [END_OBJECT]")
		}
		return a, apierr.Syntax(err)
	}
	switch string(key) {
	case "index", "create", "update", "delete":
		a.verb = string(key)
	default:
		return a, malformedAction(line, fmt.Sprintf("expected field [create], [delete], [index] or [update] but found [%s]", key))
	}
	if i = jsondoc.Space(b, i); i >= len(b) || b[i] != ':' {
		return a, apierr.Syntax(jsondoc.Fail(b, i, "expected a colon"))
	}
	if i = jsondoc.Space(b, i+1); i >= len(b) || b[i] != '{' {
		if i >= len(b) {
			return a, apierr.Syntax(jsondoc.Fail(b, i, ""))
		}
		return a, malformedAction(line, "expected START_OBJECT but found something else")
	}
	if i, err = a.members(b, i, line); err != nil {
		return a, err
	}
	if i = jsondoc.Space(b, i); i >= len(b) { // Elasticsearch lets a missing last brace pass
		return a, nil
	}
	if b[i] != '}' {
		return a, malformedAction(line, "expected END_OBJECT")
	}
	if i = jsondoc.Space(b, i+1); i < len(b) {
		return a, malformedAction(line, "found unexpected data after the closing brace")
	}
	return a, nil
}

func (a *action) members(b []byte, i, line int) (int, error) {
	i = jsondoc.Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		key, _, next, err := jsondoc.String(b, jsondoc.Space(b, i))
		if err != nil {
			return next, apierr.Syntax(err)
		}
		if next = jsondoc.Space(b, next); next >= len(b) || b[next] != ':' {
			return next, apierr.Syntax(jsondoc.Fail(b, next, "expected a colon"))
		}
		start := jsondoc.Space(b, next+1)
		if i, err = jsondoc.Skip(b, start, 0); err != nil {
			return i, apierr.Syntax(err)
		}
		if err := a.member(string(key), b[start:i], line); err != nil {
			return i, err
		}
		i = jsondoc.Space(b, i)
		if i < len(b) && b[i] == '}' {
			return i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return i, apierr.Syntax(jsondoc.Fail(b, i, "expected a comma or }"))
		}
		i++
	}
}

func (a *action) member(key string, raw []byte, line int) error {
	text := func() string {
		if raw[0] != '"' {
			return string(raw)
		}
		s, esc, _, err := jsondoc.String(raw, 0)
		if err != nil {
			return ""
		}
		if esc {
			s = jsondoc.Unescape(nil, s)
		}
		return string(s)
	}
	if (raw[0] == '{' || raw[0] == '[') && key != "_source" {
		return malformedAction(line, fmt.Sprintf("expected a simple value for field [%s] but found [START_OBJECT]", key))
	}
	var to *int64
	switch key {
	case "_index":
		a.index = text()
		return nil
	case "_id":
		if string(raw) != "null" {
			a.id, a.hasID = text(), true
		}
		return nil
	case "if_seq_no":
		to = &a.ifSeq
	case "if_primary_term":
		to = &a.ifTerm
	case "version":
		to = &a.version
	case "version_type":
		a.versionType = text()
		return nil
	case "require_alias":
		a.requireAlias = text() == "true"
		return nil
	case "_source":
		v, err := jsondoc.Parse(raw)
		a.source = v
		return err
	case "routing", "retry_on_conflict", "pipeline", "dynamic_templates", "list_executed_pipelines", "op_type", "require_data_stream", "_routing":
		return nil
	case "_type":
		return apierr.Illegal("Action/metadata line [%d] contains an unknown parameter [_type]", line)
	default:
		return apierr.Illegal("Action/metadata line [%d] contains an unknown parameter [%s]", line, key)
	}
	n, err := strconv.ParseInt(text(), 10, 64)
	if err != nil {
		return apierr.New(http.StatusBadRequest, "illegal_argument_exception", "Action/metadata line [%d]: [%s] must be a number", line, key)
	}
	*to = n
	return nil
}
