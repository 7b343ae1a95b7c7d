package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/format"
	"github.com/weirflow/weirflow/services/agent/internal/process"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// router names the topic and key of events.
type router struct {
	topic *format.String
	key   *format.String
	rules []rule
	lines bool // a rule looks into what lines bring
}

// rule is an item of output.kafka.topics.
type rule struct {
	when     process.Condition
	topic    *format.String
	mappings map[string]string
	fallback *format.String
}

func newRouter(s *settings.Config) (*router, error) {
	r := &router{}
	var err error
	if t := s.OutputSection.String("topic"); t != "" {
		if r.topic, err = format.Compile(t); err != nil {
			return nil, fmt.Errorf("output.%s.topic: %w", s.Output, err)
		}
	}
	if k := s.OutputSection.String("key"); k != "" {
		if r.key, err = format.Compile(k); err != nil {
			return nil, fmt.Errorf("output.%s.key: %w", s.Output, err)
		}
	}
	if s.Output != "kafka" {
		return r, nil
	}
	if list := s.OutputSection.Node("topics"); list != nil && list.Kind == settings.List {
		for i, n := range list.Items {
			one, err := newRule(n)
			if err != nil {
				return nil, fmt.Errorf("output.kafka.topics.%d: %w", i, err)
			}
			r.rules = append(r.rules, one)
			r.lines = r.lines || one.when != nil
		}
	}
	if r.topic == nil && len(r.rules) == 0 {
		return nil, errors.New("output.kafka: topic is missing")
	}
	return r, nil
}

func newRule(n *settings.Node) (rule, error) {
	var r rule
	var err error
	t, ok := n.Get("topic").Text()
	if !ok {
		return r, n.Errorf("topic is missing")
	}
	if r.topic, err = format.Compile(t); err != nil {
		return r, err
	}
	if d, ok := n.Get("default").Text(); ok {
		if r.fallback, err = format.Compile(d); err != nil {
			return r, err
		}
	}
	if w := n.Get("when"); w != nil {
		if r.when, err = process.CompileCondition(w); err != nil {
			return r, err
		}
	}
	if m := n.Get("mappings"); m != nil {
		r.mappings = map[string]string{}
		for _, k := range m.Keys {
			r.mappings[strings.ToLower(k)], _ = m.Members[k].Text()
		}
	}
	return r, nil
}

// Static implements feed.Router.
func (r *router) Static(envelope *document.Event, at time.Time) (string, []byte, bool) {
	if r.lines {
		return "", nil, false
	}
	strs := []*format.String{r.topic, r.key}
	for _, one := range r.rules {
		strs = append(strs, one.topic, one.fallback)
	}
	for _, s := range strs {
		if s != nil && slices.ContainsFunc(s.Fields(), ofLine) {
			return "", nil, false
		}
	}
	e := &document.Event{Timestamp: at, Meta: envelope.Meta, Fields: envelope.Fields}
	topic, key := r.Route(e)
	return topic, key, true
}

// ofLine says whether a field comes with the line.
func ofLine(field string) bool {
	return field == "message" || field == "@timestamp" || field == "log" || strings.HasPrefix(field, "log.")
}

// Route implements feed.Router. An event that lacks what the topic is made of
// goes to the output's default topic.
func (r *router) Route(e *document.Event) (string, []byte) {
	topic := ""
	for _, one := range r.rules {
		if t, ok := one.apply(e); ok {
			topic = t
			break
		}
	}
	if topic == "" && r.topic != nil {
		topic, _ = r.topic.Run(e)
	}
	if r.key == nil {
		return topic, nil
	}
	key, err := r.key.Run(e)
	if err != nil || key == "" {
		return topic, nil
	}
	return topic, []byte(key)
}

func (r rule) apply(e *document.Event) (string, bool) {
	if r.when != nil && !r.when.Check(e) {
		return "", false
	}
	t, err := r.topic.Run(e)
	if mapped, ok := r.mappings[strings.ToLower(t)]; r.mappings != nil && err == nil {
		if t = mapped; !ok {
			t = ""
		}
	}
	if (err != nil || t == "") && r.fallback != nil {
		t, err = r.fallback.Run(e)
	}
	return t, err == nil && t != ""
}

// indexName fills an input's index in, which may use what the agent knows only.
func indexName(index string) (string, error) {
	f, err := format.Compile(index)
	if err != nil {
		return "", fmt.Errorf("index: %w", err)
	}
	e := &document.Event{Timestamp: time.Now(), Fields: document.Map{
		"agent": document.Map{"version": Compatible, "type": "filebeat", "name": "filebeat"},
	}}
	return f.Run(e)
}
