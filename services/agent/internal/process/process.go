// Package process changes events: Filebeat's processors and their conditions.
package process

import (
	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// Processor changes an event. It returns false to drop it.
type Processor interface {
	Run(e *document.Event) (keep bool)
	// Static says that the outcome is the same for all events of a file, and
	// needs none of what a line brings.
	Static() bool
}

// Chain is a row of processors.
type Chain []Processor

// Run applies the processors in order.
func (c Chain) Run(e *document.Event) bool {
	for _, p := range c {
		if !p.Run(e) {
			return false
		}
	}
	return true
}

// Static says whether all processors are.
func (c Chain) Static() bool {
	for _, p := range c {
		if !p.Static() {
			return false
		}
	}
	return true
}
