package sql

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/scan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// unreadable is shown instead of statements in which secrets cannot be found.
const unreadable = "-- the statements cannot be read, and are not shown because they may hold secrets"

// commented finds options that were commented out: nobody reads them but people.
var commented = regexp.MustCompile(`('[^'\n]*'\s*=\s*)'((?:[^'\n]|'')*)'`)

// numberedValue is the old spelling that gives an option's name and value apart.
var numberedValue = regexp.MustCompile(`^connector\.properties\.(\d+)\.value$`)

// assignment is an option with its value, as a script sets it.
type assignment struct {
	scope      string // the statement, such as CREATE TABLE t
	key        string
	value      string
	start, end int // of the value in the text
	at         plan.Pos
}

// Redact returns a script with stars for the values of secret options, and all
// else as it is.
func Redact(script string) string {
	toks, err := scan.All(script)
	if err != nil {
		return unreadable
	}
	var edits []edit
	for _, a := range assignments(script, toks) {
		if shown := Mask(a.key, a.value); shown != a.value {
			edits = append(edits, edit{a.start, a.end, ast.QuoteText(shown)})
		}
	}
	from := 0
	for _, t := range toks {
		edits = append(edits, inComment(script, from, max(from, t.Start))...)
		from = max(from, t.End)
	}
	return apply(script, edits)
}

// RedactSettings returns settings with stars for the values of secret ones.
func RedactSettings(settings map[string]string) map[string]string {
	out := make(map[string]string, len(settings))
	for k, v := range settings {
		out[k] = Mask(k, v)
	}
	return out
}

// Restore puts the secrets of an old script where a new one has their stars, so
// that a script which was shown can be changed and given back. The secret of a
// table is sent to the addresses only that it was written for.
func Restore(script, old string) (string, error) {
	toks, err := scan.All(script)
	if err != nil {
		return "", err
	}
	known := byPlace(old)
	all := assignments(script, toks)
	addresses := addressesOf(all)
	var edits []edit
	for _, a := range all {
		if !strings.Contains(a.value, masked) {
			continue
		}
		was, ok := known.assignments[a.scope+"\x00"+a.key]
		ok = ok && was.value != a.value && Mask(was.key, was.value) == a.value
		switch {
		case ok && known.addresses[a.scope] == addresses[a.scope]:
			edits = append(edits, edit{a.start, a.end, old[was.start:was.end]})
		case ok:
			return "", diag.At(a.at, "option '%s' is masked, and the address that its secret was written for has changed", a.key).WithHint("write the secret again")
		case Mask(a.key, "x") == masked && a.value == masked:
			return "", diag.At(a.at, "option '%s' is masked, and there is no job that its secret could be taken from", a.key).WithHint("write the secret")
		}
	}
	return apply(script, edits), nil
}

// RestoreSettings does for settings what Restore does for scripts. Where an address
// has changed, the stars stay.
func RestoreSettings(settings, old map[string]string) map[string]string {
	out := maps.Clone(settings)
	if addressesIn(settings) != addressesIn(old) {
		return out
	}
	for k, v := range out {
		if was, ok := old[k]; ok && v != was && v == Mask(k, was) {
			out[k] = was
		}
	}
	return out
}

// Hider takes the secrets of a script out of other texts.
type Hider struct{ r *strings.Replacer }

// minHidden is the length from which a secret is looked for: a shorter one would
// be found everywhere, and shown by that.
const minHidden = 4

var jaasPassword = regexp.MustCompile(`password\s*=\s*"((?:[^"\\]|\\.)*)"`)

// NewHider returns a hider of the secrets of a script and its settings.
func NewHider(script string, settings map[string]string) *Hider {
	var secrets []string
	note := func(key, value string) {
		if Mask(key, value) == value || value == masked {
			return
		}
		secrets = append(secrets, value)
		for _, m := range jaasPassword.FindAllStringSubmatch(value, -1) {
			secrets = append(secrets, m[1])
		}
	}
	for k, v := range settings {
		note(k, v)
	}
	if toks, err := scan.All(script); err == nil {
		for _, a := range assignments(script, toks) {
			note(a.key, a.value)
		}
		for i, t := range toks { // 'password' 'x': the sign between them is missing
			if t.Kind == token.String && i > 0 && toks[i-1].Kind == token.String {
				note(toks[i-1].Text, t.Text)
			}
		}
	}
	return &Hider{r: strings.NewReplacer(pairs(secrets)...)}
}

// pairs are the arguments of a replacer: each secret in the forms in which
// messages quote it, the longest first.
func pairs(secrets []string) []string {
	var forms []string
	for _, s := range secrets {
		quoted := strconv.Quote(s)
		forms = append(forms, s, quoted[1:len(quoted)-1])
		if r := []rune(s); len(r) > token.Shown {
			forms = append(forms, string(r[:token.Shown]))
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var out []string
	for _, f := range slices.Compact(forms) {
		if len(f) >= minHidden {
			out = append(out, f, masked)
		}
	}
	return out
}

// Hide returns a text with stars for the secrets.
func (h *Hider) Hide(text string) string {
	if h == nil {
		return text
	}
	return h.r.Replace(text)
}

type edit struct {
	start, end int
	text       string
}

func apply(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return a.start - b.start })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.WriteString(text[at:])
	return b.String()
}

// inComment masks options in the text between two tokens.
func inComment(script string, from, to int) []edit {
	var edits []edit
	for _, m := range commented.FindAllStringSubmatchIndex(script[from:to], -1) {
		name, _, _ := strings.Cut(script[from+m[2]+1:from+m[3]], "'")
		value := script[from+m[4] : from+m[5]]
		if shown := Mask(name, value); shown != value {
			edits = append(edits, edit{from + m[4], from + m[5], shown})
		}
	}
	return edits
}

// places are the options of a script by statement and name.
type places struct {
	assignments map[string]assignment
	addresses   map[string]string // by statement
}

func byPlace(script string) places {
	p := places{assignments: make(map[string]assignment)}
	toks, err := scan.All(script)
	if err != nil {
		return p
	}
	all := assignments(script, toks)
	for _, a := range all {
		p.assignments[a.scope+"\x00"+a.key] = a
	}
	p.addresses = addressesOf(all)
	return p
}

// addressesOf joins, by statement, the options that say where secrets are sent.
func addressesOf(all []assignment) map[string]string {
	out := make(map[string]string)
	for _, a := range all {
		for _, w := range []string{"hosts", "hostname", "servers", "url", "uri", "endpoint", "proxy", "promgateway.host", "promgateway.port"} {
			if strings.Contains(strings.ToLower(a.key), w) {
				out[a.scope] += a.key + "=" + Mask(a.key, a.value) + "\n"
				break
			}
		}
	}
	return out
}

// addressesIn joins the settings that say where secrets are sent.
func addressesIn(settings map[string]string) string {
	var all []assignment
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, assignment{key: k, value: settings[k]})
	}
	return addressesOf(all)[""]
}

// assignments finds 'name' = 'value' in tables, hints and SET.
func assignments(script string, toks []token.Token) []assignment {
	var out []assignment
	count := make(map[string]int)
	for start := 0; start < len(toks); {
		end := start
		for end < len(toks) && !toks[end].Is(";") && toks[end].Kind != token.EOF {
			end++
		}
		if start < end {
			scope := scopeOf(toks[start:end])
			count[scope]++
			scope += "#" + strconv.Itoa(count[scope])
			if toks[start].Is("SET") {
				scope = "SET"
			}
			out = append(out, inStatement(script, toks[start:end], scope)...)
		}
		start = end + 1
	}
	return out
}

// scopeOf names a statement by its first words, which stay when it is edited.
func scopeOf(toks []token.Token) string {
	var words []string
	for _, t := range toks {
		if t.Is("(") || t.Is("WITH") || t.Kind == token.Hint {
			break
		}
		if !t.Is("TEMPORARY") && !t.Is("IF") && !t.Is("NOT") && !t.Is("EXISTS") {
			words = append(words, t.Text)
		}
	}
	return strings.Join(words, " ")
}

func inStatement(script string, toks []token.Token, scope string) []assignment {
	var out []assignment
	set := toks[0].Is("SET")
	for i := 1; i+1 < len(toks); i++ {
		if !toks[i].Is("=") {
			continue
		}
		a := assignment{scope: scope, start: toks[i+1].Start, end: toks[i+1].End, value: toks[i+1].Text, at: toks[i+1].At}
		switch {
		case toks[i-1].Kind == token.String && toks[i+1].Kind == token.String:
			a.key = toks[i-1].Text
		case set && i > 1: // SET a.b = text without quotes
			a.key = script[toks[1].Start:toks[i-1].End]
			if toks[1].Kind == token.String {
				a.key = toks[1].Text
			}
			if toks[i+1].Kind != token.String {
				a.end = toks[len(toks)-1].End
				a.value = script[a.start:a.end]
			}
		default:
			continue
		}
		out = append(out, a)
		if set {
			break
		}
	}
	for i, a := range out {
		if m := numberedValue.FindStringSubmatch(a.key); m != nil {
			for _, o := range out {
				if o.key == "connector.properties."+m[1]+".key" {
					out[i].key = "connector.properties." + o.value
				}
			}
		}
	}
	return out
}
