package kafka

import (
	"slices"
	"strings"
)

// Internal reports whether a topic is one that Kafka or Weirflow keeps for itself: its
// records are not shown, and it is not for events.
func Internal(topic string) bool {
	return strings.HasPrefix(topic, "__") || (strings.HasPrefix(topic, "weirflow.") && !strings.HasPrefix(topic, "weirflow.deadletters."))
}

// Secluded reports whether a topic holds who may log in, or what they did. Statements
// must neither read nor write it: whoever may run one could make himself an
// administrator.
func Secluded(topic string) bool {
	return slices.Contains([]string{"weirflow.users", "weirflow.tokens", "weirflow.sessions", "weirflow.last-uses", "weirflow.audit"}, topic)
}
