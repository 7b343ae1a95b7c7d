// Package match is MATCH_RECOGNIZE: it looks for patterns of consecutive rows, as
// Flink's CEP library does in its strict contiguity
// (https://nightlies.apache.org/flink/flink-docs-release-1.20/docs/dev/table/sql/queries/match_recognize/).
package match

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// term is the condition of a variable, or its negation.
type term struct {
	variable int
	not      bool
}

// edge leads from a state to another. An edge that takes uses up a row; one that
// does not is followed with the same row in hand.
type edge struct {
	takes bool
	to    int
	terms []term // all must hold
}

type node struct {
	variable int // of the rows that are taken from here
	edges    []edge
}

// final is the number of the state in which a match is complete.
const final = 0

// automaton is a pattern as states.
type automaton struct {
	nodes []node
	start int
	names []string // of the variables
}

// element is a variable of a pattern with how often it comes.
type element struct {
	variable int
	min, max int
	loops    bool
	optional bool
	greedy   bool
}

// newAutomaton makes the states of a pattern. It is made from the end, so that
// each state knows where it leads.
func newAutomaton(pattern []plan.PatternElement) *automaton {
	a := &automaton{nodes: make([]node, 1)}
	for _, p := range pattern {
		a.names = append(a.names, p.Variable)
	}
	a.start = final
	for i, p := range slices.Backward(pattern) {
		a.start = a.add(newElement(i, p), a.start)
	}
	return a
}

// newElement reads a quantifier the way Flink does: only one that leaves a choice
// can be greedy, and x? tries both ways.
func newElement(variable int, p plan.PatternElement) element {
	e := element{variable: variable, min: max(1, p.Min), max: p.Max, loops: p.Max < 0, optional: p.Min == 0}
	e.greedy = !p.Reluctant && p.Min != p.Max && (p.Min != 0 || p.Max != 1)
	if e.loops {
		e.max = e.min
	}
	return e
}

// add puts an element before the state sink and returns its first state.
func (a *automaton) add(e element, sink int) int {
	next := sink
	if e.loops {
		next = a.state(e.variable)
		a.nodes[next].edges = []edge{{to: sink}, {takes: true, to: next, terms: []term{{variable: e.variable}}}}
	}
	if e.greedy {
		a.yield(sink, e.variable)
	}
	for range e.max - e.min {
		next = a.single(e.variable, next, sink, true)
	}
	for range e.min - 1 {
		next = a.single(e.variable, next, sink, false)
	}
	return a.single(e.variable, next, sink, e.optional)
}

func (a *automaton) state(variable int) int {
	a.nodes = append(a.nodes, node{variable: variable})
	return len(a.nodes) - 1
}

// single adds a state that takes one row; an optional one may be passed by.
func (a *automaton) single(variable, next, sink int, optional bool) int {
	s := a.state(variable)
	edges := []edge{{takes: true, to: next, terms: []term{{variable: variable}}}}
	if optional {
		edges = append(edges, edge{to: sink})
	}
	a.nodes[s].edges = edges
	return s
}

// yield lets a state act only on rows that a greedy variable before it does not take.
func (a *automaton) yield(state, variable int) {
	for i := range a.nodes[state].edges {
		e := &a.nodes[state].edges[i]
		e.terms = append(slices.Clone(e.terms), term{variable: variable, not: true})
	}
}
