// Package storeerr reads the errors of a search store.
package storeerr

import (
	"cmp"
	"encoding/json"
)

// Reason returns what an answer of Elasticsearch's form gives as the reason of an error:
// the first root cause's, which says more than "all shards failed". It is empty when the
// answer has another form.
func Reason(answer []byte) string {
	var e struct {
		Error struct {
			Reason string `json:"reason"`
			Causes []struct {
				Reason string `json:"reason"`
			} `json:"root_cause"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &e) != nil {
		return ""
	}
	if len(e.Error.Causes) > 0 {
		return cmp.Or(e.Error.Causes[0].Reason, e.Error.Reason)
	}
	return e.Error.Reason
}
