// Package logpattern makes SQL jobs of policies that look for a pattern in lines, and
// has the service of jobs carry them out.
package logpattern

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/secret"
)

const (
	defaultField  = "message"
	defaultWithin = 5 * time.Minute
	maxWithin     = 24 * time.Hour
	// maxBy, maxPath and maxPattern bound a pattern; shown how much of a line is told.
	maxBy, maxPath, maxPattern, shown = 10, 100, 4096, 500
	// counted is the column of how many lines there are.
	counted = "weirflow_count"
	// clock is the column of the time.
	clock = "weirflow_time"
)

// Script makes the statements of a policy.
type Script struct {
	policy *alertv1.Policy
	p      *alertv1.LogPattern
	kafka  kafka.Config
	field  []string
	by     [][]string
	labels []string // of by
	count  int64
	within time.Duration
	end    time.Duration
}

// New says what is wrong with a policy of a log pattern.
func New(policy *alertv1.Policy, cluster kafka.Config) (*Script, error) {
	s := &Script{policy: policy, p: policy.GetLogPattern(), kafka: cluster, count: max(1, policy.GetLogPattern().GetCount()), within: defaultWithin}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	topic := regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)
	if !topic.MatchString(s.p.GetTopic()) {
		wrong("log_pattern.topic is required: a topic of Kafka such as topic-app-info")
	}
	if s.p.GetCount() < 0 {
		wrong("log_pattern.count is negative")
	}
	if d := s.p.GetWithin(); d != nil {
		s.within = d.AsDuration()
	}
	if s.within < time.Second || s.within > maxWithin {
		wrong("log_pattern.within must be between a second and a day")
	}
	s.end = s.within
	if d := s.p.GetResolveAfter(); d != nil {
		s.end = d.AsDuration()
	}
	if s.end < time.Second || s.end > maxWithin {
		wrong("log_pattern.resolve_after must be between a second and a day")
	}
	if policy.GetFor().AsDuration() != 0 || policy.GetKeepFiringFor().AsDuration() != 0 {
		wrong("for and keep_firing_for do not go with log_pattern: it has count, within and resolve_after")
	}
	errs = append(errs, s.pattern(), s.fields(), s.annotations())
	return s, errors.Join(errs...)
}

func (s *Script) pattern() error {
	text := s.p.GetContains() + s.p.GetRegexp()
	if text == "" || len(text) > maxPattern || strings.ContainsRune(text, 0) {
		return fmt.Errorf("log_pattern needs one of contains and regexp, of at most %d bytes", maxPattern)
	}
	if s.p.GetRegexp() != "" {
		if _, err := regexp.Compile(s.p.GetRegexp()); err != nil {
			return fmt.Errorf("log_pattern.regexp: %w", err)
		}
	}
	return nil
}

// fields reads the paths. What one names as a text, another must not name as an object.
func (s *Script) fields() error {
	var err error
	field := s.p.GetField()
	if field == "" {
		field = defaultField
	}
	if s.field, err = path(field); err != nil {
		return err
	}
	if len(s.p.GetBy()) > maxBy {
		return fmt.Errorf("log_pattern.by has at most %d fields", maxBy)
	}
	taken := map[string]bool{"alertname": true, "severity": true, "summary": true, "starts_at": true, "key": true}
	for name := range s.policy.GetLabels() {
		taken[name] = true
	}
	for _, b := range s.p.GetBy() {
		p, err := path(b)
		if err != nil {
			return err
		}
		label := strings.Map(func(r rune) rune {
			if r == '.' || r == '-' || r == '@' {
				return '_'
			}
			return r
		}, b)
		if taken[label] || label[0] >= '0' && label[0] <= '9' || strings.Trim(label, "_") == "" {
			return fmt.Errorf("log_pattern.by: the field %q cannot be the label %q: there is one of this name", b, label)
		}
		taken[label] = true
		s.by, s.labels = append(s.by, p), append(s.labels, label)
	}
	_, err = s.columns()
	return err
}

func path(text string) ([]string, error) {
	if ok, err := regexp.MatchString(`^[A-Za-z0-9_@-]+(\.[A-Za-z0-9_@-]+)*$`, text); err != nil || !ok || len(text) > maxPath {
		return nil, fmt.Errorf("log_pattern: %q is not the path of a field, such as host.name", text)
	}
	return strings.Split(text, "."), nil
}

// node is a field: a text, or an object of further fields.
type node map[string]node

// columns are the columns of the table of lines, in their order.
func (s *Script) columns() ([]string, error) {
	root := node{}
	for _, p := range append([][]string{s.field}, s.by...) {
		at := root
		for i, part := range p {
			next, ok := at[part]
			if ok && (next == nil) != (i == len(p)-1) {
				return nil, fmt.Errorf("log_pattern: the field %q cannot be both a text and an object", strings.Join(p[:i+1], "."))
			}
			if i == len(p)-1 {
				at[part] = nil
				break
			}
			if !ok {
				next = node{}
				at[part] = next
			}
			at = next
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(root)) {
		all = append(all, quoted(name)+" "+root[name].kind())
	}
	return all, nil
}

func (n node) kind() string {
	if n == nil {
		return "STRING"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, quoted(name)+" "+n[name].kind())
	}
	return "ROW<" + strings.Join(parts, ", ") + ">"
}

// quoted is a name in SQL, literal a text.
func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func column(p []string) string {
	out := make([]string, len(p))
	for i, part := range p {
		out[i] = quoted(part)
	}
	return strings.Join(out, ".")
}

// condition is what a line must be.
func (s *Script) condition() string {
	if s.p.GetRegexp() != "" {
		return "REGEXP(" + column(s.field) + ", " + literal(s.p.GetRegexp()) + ")"
	}
	return "POSITION(" + literal(s.p.GetContains()) + " IN " + column(s.field) + ") > 0"
}

// SQL is the statements. Without secrets they are for people to read.
func (s *Script) SQL(secrets bool) string {
	columns, _ := s.columns() // New has seen to it
	var b strings.Builder
	if s.count > 1 {
		columns = append(columns, quoted(clock)+" AS PROCTIME()")
	}
	fmt.Fprintf(&b, "CREATE TABLE `lines` (%s) WITH (%s);\n", strings.Join(columns, ", "), s.source(secrets))
	names, values := s.alert()
	defined := make([]string, len(names))
	for i, n := range names {
		defined[i] = quoted(n) + " STRING"
	}
	var keys []string
	for _, l := range s.labels {
		keys = append(keys, quoted(l))
	}
	if len(keys) > 0 {
		defined = append(defined, "PRIMARY KEY ("+strings.Join(keys, ", ")+") NOT ENFORCED")
	}
	fmt.Fprintf(&b, "CREATE TABLE `alerts` (%s) WITH (%s);\n", strings.Join(defined, ", "), s.sink())
	fmt.Fprintf(&b, "INSERT INTO `alerts` SELECT %s FROM (%s)", strings.Join(values, ", "), s.matches())
	if s.count > 1 {
		fmt.Fprintf(&b, " WHERE `%s` >= %d", counted, s.count)
	}
	return b.String() + ";\n"
}

// matches is the query for the lines that match, with how many there are.
func (s *Script) matches() string {
	list := []string{"SUBSTRING(" + column(s.field) + ", 1, " + strconv.Itoa(shown) + ") AS `weirflow_line`"}
	var keys []string
	for i, p := range s.by {
		c := "COALESCE(" + column(p) + ", '')"
		keys = append(keys, c)
		list = append(list, c+" AS "+quoted(s.labels[i]))
	}
	if s.count > 1 {
		part := ""
		if len(keys) > 0 {
			part = "PARTITION BY " + strings.Join(keys, ", ") + " "
		}
		list = append(list, fmt.Sprintf("COUNT(*) OVER (%sORDER BY `%s` RANGE BETWEEN INTERVAL '%d' SECOND(5) PRECEDING AND CURRENT ROW) AS `%s`", part, clock, int64(s.within.Seconds()), counted))
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM `lines` WHERE " + s.condition()
}

func options(pairs [][2]string) string {
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = literal(p[0]) + " = " + literal(p[1])
	}
	return strings.Join(out, ", ")
}

func (s *Script) source(secrets bool) string {
	pairs := [][2]string{{"connector", "kafka"}, {"topic", s.p.GetTopic()}, {"properties.bootstrap.servers", strings.Join(s.kafka.Brokers, ",")}}
	props := make(map[string]string)
	if s.kafka.Username != "" {
		props["security.protocol"], props["sasl.mechanism"], props["sasl.username"], props["sasl.password"] = "sasl_plaintext", "PLAIN", s.kafka.Username, s.kafka.Password.Reveal()
	}
	maps.Copy(props, s.kafka.Properties)
	for _, k := range slices.Sorted(maps.Keys(props)) {
		v := props[k]
		if !secrets && (strings.Contains(k, "password") || strings.Contains(k, "secret") || strings.Contains(k, "key.pem") || strings.Contains(k, "oauthbearer")) {
			v = secret.Mask
		}
		pairs = append(pairs, [2]string{"properties." + k, v})
	}
	return options(append(pairs, [2]string{"properties.group.id", Job(s.policy.GetName())}, [2]string{"scan.startup.mode", "latest-offset"},
		[2]string{"format", "json"}, [2]string{"json.ignore-parse-errors", "true"}))
}

func (s *Script) sink() string {
	pairs := [][2]string{{"connector", "alert"}, {"alertname", s.policy.GetName()}, {"resolve-after", strconv.FormatInt(s.end.Milliseconds(), 10) + " ms"}}
	if names := slices.Sorted(maps.Keys(s.policy.GetLabels())); len(names) > 0 {
		pairs = append(pairs, [2]string{"labels", strings.Join(names, ";")})
	}
	return options(pairs)
}

// alert is the columns of an alert and what they are.
func (s *Script) alert() (names, values []string) {
	add := func(name, value string) { names, values = append(names, name), append(values, value) }
	for _, l := range s.labels {
		add(l, quoted(l))
	}
	severity := s.policy.GetSeverity()
	if severity == "" {
		severity = "warning"
	}
	add("severity", literal(severity))
	for _, name := range slices.Sorted(maps.Keys(s.policy.GetLabels())) {
		add(name, literal(s.policy.GetLabels()[name]))
	}
	summary := "`weirflow_line`"
	if s.count > 1 {
		summary = "CAST(`" + counted + "` AS STRING) || " + literal(" lines within "+model.Duration(s.within).String()+", the last: ") + " || `weirflow_line`"
	}
	if text := s.policy.GetAnnotations()["summary"]; text != "" {
		summary, _ = s.text(text) // New has seen to it
	}
	add("summary", summary)
	for _, name := range slices.Sorted(maps.Keys(s.policy.GetAnnotations())) {
		if name != "summary" {
			value, _ := s.text(s.policy.GetAnnotations()[name])
			add(name, value)
		}
	}
	return names, values
}

func (s *Script) annotations() error {
	names := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	for name, text := range s.policy.GetAnnotations() {
		if !names.MatchString(name) || slices.Contains(s.labels, name) || s.policy.GetLabels()[name] != "" || slices.Contains([]string{"severity", "starts_at", "key", "alertname"}, name) {
			return fmt.Errorf("the annotation %q cannot be given", name)
		}
		if _, err := s.text(text); err != nil {
			return fmt.Errorf("the annotation %s: %w", name, err)
		}
	}
	return nil
}

// text is an annotation in SQL. Of the templates that rules have it knows those of labels
// and of the value, which is the count.
func (s *Script) text(template string) (string, error) {
	var parts []string
	for rest := template; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			parts = append(parts, literal(before))
		}
		if !found {
			break
		}
		inside, next, closed := strings.Cut(after, "}}")
		if !closed {
			return "", errors.New("{{ is not closed")
		}
		value, err := s.variable(strings.Trim(inside, " -"))
		if err != nil {
			return "", err
		}
		parts, rest = append(parts, value), next
	}
	if len(parts) == 0 {
		return "''", nil
	}
	return strings.Join(parts, " || "), nil
}

func (s *Script) variable(text string) (string, error) {
	label, ok := strings.CutPrefix(text, "$labels.")
	switch {
	case ok && slices.Contains(s.labels, label):
		return quoted(label), nil
	case ok && s.policy.GetLabels()[label] != "":
		return literal(s.policy.GetLabels()[label]), nil
	case text == "$value" && s.count > 1:
		return "CAST(`" + counted + "` AS STRING)", nil
	case text == "$value":
		return "'1'", nil
	case text == "$line":
		return "`weirflow_line`", nil
	}
	return "", fmt.Errorf("{{ %s }}: a log pattern has {{ $labels.<field> }} of its fields, {{ $value }}, the count, and {{ $line }}, the line", text)
}

// Job is the name of a policy's job.
func Job(policy string) string { return "policy-" + policy }
