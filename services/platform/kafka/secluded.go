package kafka

import "slices"

// Secluded reports whether a topic holds who may log in, or what they did. Statements
// must neither read nor write it: whoever may run one could make himself an
// administrator.
func Secluded(topic string) bool {
	return slices.Contains([]string{"weirflow.users", "weirflow.tokens", "weirflow.sessions", "weirflow.last-uses", "weirflow.audit"}, topic)
}
