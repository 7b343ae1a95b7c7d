package aggs

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// script is an expression over numbers, in the part of Painless that dashboards write:
// numbers, params.name, arithmetic, comparisons, && || !, ?: and functions of Math.
// What is true is 1, what is false 0.
type script struct{ run eval }

// bucketScript reads the script and the paths of bucket_script and bucket_selector.
func (n *node) bucketScript() error {
	text := n.body.Get("script")
	if text.Is(jsondoc.Object) {
		if text.Get("id") != nil {
			return apierr.Unsupported("stored scripts are not supported by the embedded store")
		}
		text = text.Get("source")
	}
	if text.Text() == "" {
		return apierr.Parsing("Missing required field [script] for [%s] aggregation [%s]", n.kind, n.name)
	}
	var err error
	if n.script, err = parseScript(text.Text(), n.paths()); err != nil {
		return apierr.Unsupported("the embedded store runs arithmetic only: %s", err)
	}
	switch policy := n.body.Get("gap_policy").Text(); policy {
	case "", "skip", "insert_zeros", "keep_values":
		return nil
	default:
		return apierr.Illegal("Invalid gap policy: [%s], accepted values: [insert_zeros, skip, keep_values]", policy)
	}
}

// paths are the buckets_path of a pipeline by the names that a script gives them.
func (n *node) paths() map[string]string {
	out := map[string]string{}
	switch v := n.body.Get("buckets_path"); {
	case v.Is(jsondoc.Object):
		for i, k := range v.Keys {
			out[k] = v.Items[i].Text()
		}
	case v.Is(jsondoc.Array):
		for i, x := range v.Items {
			out["_value"+strconv.Itoa(i)] = x.Text()
		}
	case v != nil:
		out["_value"] = v.Text()
	}
	return out
}

// bucketScripts runs a script for each bucket: bucket_script keeps what it gives,
// bucket_selector the buckets for which it is true.
func bucketScripts(n *node, list *jsondoc.Value) {
	paths := n.paths()
	policy := n.body.Get("gap_policy").Text()
	kept := list.Items[:0]
	for _, b := range list.Items {
		params, gap := map[string]float64{}, false
		for name, path := range paths {
			v, ok := value(b, path)
			if count, _ := value(b, "_count"); policy != "keep_values" && count == 0 && path != "_count" {
				ok = false // an empty bucket is a gap
			}
			switch {
			case ok:
			case policy == "insert_zeros":
				v = 0
			default:
				v, gap = math.NaN(), true
			}
			params[name] = v
		}
		switch {
		case n.kind == "bucket_selector":
			if n.script.run(params) == 1 {
				kept = append(kept, b)
			}
			continue
		case !gap:
			b.Set(n.name, jsondoc.Obj("value", orNull(n.script.run(params))))
		}
		kept = append(kept, b)
	}
	list.Items = kept
}

// maxScript bounds how long, and so how deeply nested, an expression may be.
const maxScript = 2000

func parseScript(text string, names map[string]string) (*script, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("the script has %d bytes, at most %d", len(text), maxScript)
	}
	p := &scriptParser{names: names, rest: strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "return "), ";")}
	p.next()
	run, err := p.choice()
	switch {
	case err != nil:
		return nil, fmt.Errorf("compile error in [%s]: %w", text, err)
	case p.token != "":
		return nil, fmt.Errorf("compile error in [%s]: unexpected [%s]: only arithmetic over params is understood here", text, p.token)
	}
	return &script{run: run}, nil
}

type eval = func(params map[string]float64) float64

type scriptParser struct {
	rest, token string
	names       map[string]string
}

// next reads a token: a number, a name with its dots, or an operator.
func (p *scriptParser) next() {
	s := strings.TrimLeft(p.rest, " \t\r\n")
	n := 0
	name := func(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	digit := func(c byte) bool { return c >= '0' && c <= '9' || c == '.' }
	switch {
	case s == "":
	case name(s[0]):
		for n < len(s) && (name(s[n]) || digit(s[n])) {
			n++
		}
	case digit(s[0]):
		for n < len(s) && (digit(s[n]) || s[n] == 'e' || s[n] == 'E' || (s[n] == '-' || s[n] == '+') && (s[n-1] == 'e' || s[n-1] == 'E')) {
			n++
		}
	case len(s) > 1 && slices.Contains([]string{"==", "!=", "<=", ">=", "&&", "||"}, s[:2]):
		n = 2
	default:
		n = 1
	}
	p.token, p.rest = s[:n], s[n:]
}

func (p *scriptParser) take(token string) bool {
	if p.token != token {
		return false
	}
	p.next()
	return true
}

// choice is a ? b : c, which binds least.
func (p *scriptParser) choice() (eval, error) {
	test, err := p.binary(0)
	if err != nil || !p.take("?") {
		return test, err
	}
	yes, err := p.choice()
	if err != nil {
		return nil, err
	}
	if !p.take(":") {
		return nil, fmt.Errorf("expected [:] before [%s]", p.token)
	}
	no, err := p.choice()
	return func(v map[string]float64) float64 {
		if test(v) != 0 {
			return yes(v)
		}
		return no(v)
	}, err
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// operator is a binary operator with how tightly it binds.
func operator(token string) (level int, apply func(a, b float64) float64) {
	switch token {
	case "||":
		return 1, func(a, b float64) float64 { return truth(a != 0 || b != 0) }
	case "&&":
		return 2, func(a, b float64) float64 { return truth(a != 0 && b != 0) }
	case "==":
		return 3, func(a, b float64) float64 { return truth(a == b) }
	case "!=":
		return 3, func(a, b float64) float64 { return truth(a != b) }
	case "<":
		return 4, func(a, b float64) float64 { return truth(a < b) }
	case ">":
		return 4, func(a, b float64) float64 { return truth(a > b) }
	case "<=":
		return 4, func(a, b float64) float64 { return truth(a <= b) }
	case ">=":
		return 4, func(a, b float64) float64 { return truth(a >= b) }
	case "+":
		return 5, func(a, b float64) float64 { return a + b }
	case "-":
		return 5, func(a, b float64) float64 { return a - b }
	case "*":
		return 6, func(a, b float64) float64 { return a * b }
	case "/":
		return 6, func(a, b float64) float64 { return a / b }
	case "%":
		return 6, math.Mod
	}
	return 0, nil
}

// binary reads operators that bind more tightly than a level.
func (p *scriptParser) binary(above int) (eval, error) {
	left, err := p.unary()
	for err == nil {
		level, apply := operator(p.token)
		if level <= above {
			return left, nil
		}
		p.next()
		a := left
		var b eval
		if b, err = p.binary(level); err != nil {
			return nil, err
		}
		left = func(v map[string]float64) float64 { return apply(a(v), b(v)) }
	}
	return left, err
}

func (p *scriptParser) unary() (eval, error) {
	sign := p.token
	switch sign {
	case "-", "+", "!":
		p.next()
		of, err := p.unary()
		return func(v map[string]float64) float64 {
			switch x := of(v); sign {
			case "-":
				return -x
			case "!":
				return truth(x == 0)
			default:
				return x
			}
		}, err
	case "(":
		p.next()
		in, err := p.choice()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("expected [)] before [%s]", p.token)
		}
		return in, err
	}
	return p.operand()
}

func (p *scriptParser) operand() (eval, error) {
	token := p.token
	p.next()
	if f, err := strconv.ParseFloat(strings.TrimRight(token, "dfDFL"), 64); err == nil {
		return func(map[string]float64) float64 { return f }, nil
	}
	if token == "true" || token == "false" {
		return func(map[string]float64) float64 { return truth(token == "true") }, nil
	}
	name := strings.TrimPrefix(token, "params.")
	if _, known := p.names[name]; known { // without params. in the language expression
		return func(v map[string]float64) float64 { return v[name] }, nil
	}
	if name, ok := strings.CutPrefix(token, "Math."); ok {
		return p.function(name)
	}
	return nil, fmt.Errorf("[%s] is not understood: only numbers, params.name, operators and Math.name() are", token)
}

func (p *scriptParser) function(name string) (eval, error) {
	one := map[string]func(float64) float64{"abs": math.Abs, "ceil": math.Ceil, "floor": math.Floor, "round": func(x float64) float64 { return math.Floor(x + 0.5) }, "sqrt": math.Sqrt, "log": math.Log, "log10": math.Log10, "exp": math.Exp, "signum": func(x float64) float64 { return truth(x > 0) - truth(x < 0) }}
	two := map[string]func(a, b float64) float64{"max": math.Max, "min": math.Min, "pow": math.Pow}
	if !p.take("(") {
		return nil, fmt.Errorf("expected [(] behind Math.%s", name)
	}
	var args []eval
	for p.token != ")" && p.token != "" {
		a, err := p.choice()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if !p.take(",") {
			break
		}
	}
	if !p.take(")") {
		return nil, fmt.Errorf("expected [)] behind the arguments of Math.%s", name)
	}
	if f := one[name]; f != nil && len(args) == 1 {
		return func(v map[string]float64) float64 { return f(args[0](v)) }, nil
	}
	if f := two[name]; f != nil && len(args) == 2 {
		return func(v map[string]float64) float64 { return f(args[0](v), args[1](v)) }, nil
	}
	return nil, fmt.Errorf("there is no Math.%s of %d arguments", name, len(args))
}
