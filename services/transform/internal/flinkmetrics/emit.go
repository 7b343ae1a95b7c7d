package flinkmetrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// emitter puts gauges out, each series once: two of the same name and labels would
// make all that is scraped with them worthless.
type emitter struct {
	ch     chan<- prometheus.Metric
	filter func(string) string
	seen   map[string]bool
	descs  map[string]*prometheus.Desc // by name; a name always has the same labels
}

// scope is where metrics belong: the beginning of their names, and their labels.
type scope struct {
	out           *emitter
	prefix        string
	names, values []string
}

func (e *emitter) scope(prefix string, pairs ...string) scope {
	return scope{out: e, prefix: "flink_" + prefix + "_"}.with(pairs...)
}

// with returns a scope with further labels, given as name and value.
func (s scope) with(pairs ...string) scope {
	names, values := slices.Clip(s.names), slices.Clip(s.values)
	for i := 0; i+1 < len(pairs); i += 2 {
		v := strings.ToValidUTF8(pairs[i+1], "?")
		if s.out.filter != nil {
			v = s.out.filter(v)
		}
		names, values = append(names, pairs[i]), append(values, v)
	}
	s.names, s.values = names, values
	return s
}

// under returns the scope with a longer beginning of names.
func (s scope) under(prefix string) scope {
	s.prefix += prefix + "_"
	return s
}

func (s scope) gauge(name string, value float64) {
	key := s.prefix + name + "\x00" + strings.Join(s.values, "\x00")
	if s.out.seen[key] {
		return
	}
	s.out.seen[key] = true
	m, err := prometheus.NewConstMetric(s.out.desc(s.prefix+name, s.names), prometheus.GaugeValue, value, s.values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
	s.out.ch <- m
}

func (e *emitter) desc(name string, labels []string) *prometheus.Desc {
	d := e.descs[name]
	if d == nil {
		d = prometheus.NewDesc(name, strings.TrimPrefix(name, "flink_")+", as Flink names it.", labels, nil)
		e.descs[name] = d
	}
	return d
}

func (s scope) flag(name string, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	s.gauge(name, v)
}
