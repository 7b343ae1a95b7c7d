package eval

import (
	"regexp"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// address is a URL taken apart as Java's URL does: nothing is decoded.
type address struct {
	protocol, authority, path, query, ref string
	hasAuthority, hasQuery, hasRef        bool
}

// parseAddress takes a URL apart; ok is false without a protocol that Java knows.
func parseAddress(s string) (a address, ok bool) {
	s = strings.TrimSpace(s)
	protocol, rest, found := strings.Cut(s, ":")
	a.protocol = strings.ToLower(protocol)
	switch a.protocol {
	case "http", "https", "ftp", "file", "jar", "mailto":
	default:
		return a, false
	}
	if !found {
		return a, false
	}
	if a.protocol != "mailto" {
		rest, a.ref, a.hasRef = strings.Cut(rest, "#")
	}
	rest, a.query, a.hasQuery = strings.Cut(rest, "?")
	if after, cut := strings.CutPrefix(rest, "//"); cut {
		a.hasAuthority = true
		if at := strings.IndexByte(after, '/'); at >= 0 {
			a.authority, rest = after[:at], after[at:]
		} else {
			a.authority, rest = after, ""
		}
	}
	a.path = rest
	return a, true
}

// host is the authority without user and port.
func (a address) host() string {
	h := a.authority
	if at := strings.LastIndexByte(h, '@'); at >= 0 {
		h = h[at+1:]
	}
	if end := strings.IndexByte(h, ']'); strings.HasPrefix(h, "[") && end > 0 {
		return h[:end+1]
	}
	h, _, _ = strings.Cut(h, ":")
	return h
}

// part returns a part by its name; ok is false when the URL does not have it.
func (a address) part(name string) (text string, ok bool) {
	switch name {
	case "HOST":
		return a.host(), true
	case "PATH":
		return a.path, true
	case "QUERY":
		return a.query, a.hasQuery
	case "REF":
		return a.ref, a.hasRef
	case "PROTOCOL":
		return a.protocol, true
	case "FILE":
		if a.hasQuery {
			return a.path + "?" + a.query, true
		}
		return a.path, true
	case "AUTHORITY":
		return a.authority, a.hasAuthority
	case "USERINFO":
		user, _, found := strings.Cut(a.authority, "@")
		return user, found
	}
	return "", false
}

// parseURL is PARSE_URL(url, part[, key]).
func parseURL(*compiler, *plan.Call) (*spec, error) {
	keys := newPatterns()
	return &spec{fn: func(v []*column.Vector, i int, out *column.Vector) error {
		a, ok := parseAddress(v[0].Strs[i])
		text := ""
		if ok {
			text, ok = a.part(v[1].Strs[i])
		}
		if ok && len(v) > 2 {
			ok = v[1].Strs[i] == "QUERY"
			if ok {
				re, err := keys.get("(?:&|^)" + regexp.QuoteMeta(v[2].Strs[i]) + "=([^&]*)")
				var m []int
				if err == nil {
					m, err = re.find(text)
				}
				if ok = err == nil && m != nil; ok {
					text = text[m[2]:m[3]]
				}
			}
		}
		if !ok {
			out.SetNull(i)
			return nil
		}
		out.Strs[i] = text
		return nil
	}}, nil
}
