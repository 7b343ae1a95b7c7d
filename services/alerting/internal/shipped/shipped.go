// Package shipped has the rules that come with Weirflow: what is wrong with a
// pipeline more often than not, each with a page that says what to do.
package shipped

import _ "embed" // the rules are a file

// Rules are groups of rules in Prometheus's form, which promtool reads, too.
//
//go:embed weirflow.rules.yaml
var Rules []byte
