// Package bulk builds the bodies of bulk requests from actions that are already
// rendered, and reads the answers.
package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Action is one action with its document, as the lines of a bulk body, and where
// it came from.
type Action struct {
	Lines []byte
	// Entry is a number that the caller knows the action's record by.
	Entry int64
	// ReplayOf is the dead letter that it was; empty for most.
	ReplayOf string
}

// Target returns the part of the action line that names index and document. Two
// actions with equal targets are about the same document.
func (a Action) Target() []byte {
	line, _, _ := bytes.Cut(a.Lines, []byte{'\n'})
	if _, target, ok := bytes.Cut(line, []byte(`":{`)); ok {
		return target
	}
	return line
}

// HasID reports whether the action names its document, so that doing it twice
// is doing it once.
func (a Action) HasID() bool { return bytes.Contains(a.Target(), []byte(`"_id":`)) }

// Body joins the lines of the actions.
func Body(dst []byte, actions []Action) []byte {
	for _, a := range actions {
		dst = append(dst, a.Lines...)
	}
	return dst
}

// Item is what the store answered to one action.
type Item struct {
	Status int
	// Type and Reason are the store's words, empty where it did the action.
	Type, Reason string
}

// OK reports whether there is nothing left to do: the action was done, or its
// document was already as the action wants it.
func (i Item) OK() bool { return i.Status < 300 || (i.Status == 404 && i.Type == "") }

// Busy reports whether the store refused for load.
func (i Item) Busy() bool { return i.Status == 429 || i.Status == 503 }

// FilterPath is what is asked for of the answer: as little as Parse needs.
const FilterPath = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by"

// Parse reads the answer to a request of n actions. It returns nil where all
// were done, without looking at the items.
func Parse(answer []byte, n int) ([]Item, error) {
	if allDone(answer) {
		return nil, nil
	}
	var a struct {
		Errors *bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
			Error  *struct {
				Type     string `json:"type"`
				Reason   string `json:"reason"`
				CausedBy *struct {
					Type   string `json:"type"`
					Reason string `json:"reason"`
				} `json:"caused_by"`
			} `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, fmt.Errorf("read the answer to a bulk request: %w", err)
	}
	if a.Errors == nil {
		return nil, errors.New("read the answer to a bulk request: it has no errors field")
	}
	if len(a.Items) != n {
		return nil, fmt.Errorf("read the answer to a bulk request: %d items for %d actions", len(a.Items), n)
	}
	items := make([]Item, n)
	for i, it := range a.Items {
		for _, r := range it { // one entry, under the action's name
			items[i].Status = r.Status
			if r.Error != nil {
				items[i].Type, items[i].Reason = r.Error.Type, r.Error.Reason
				if c := r.Error.CausedBy; c != nil && c.Reason != "" {
					items[i].Reason += ": " + c.Reason
				}
			}
		}
	}
	return items, nil
}

// allDone looks for `"errors":false` at the answer's beginning or end, where
// servers put it.
func allDone(answer []byte) bool {
	const window = 64
	mark := []byte(`"errors":false`)
	if len(answer) <= 2*window {
		return bytes.Contains(answer, mark)
	}
	return bytes.Contains(answer[:window], mark)
}
