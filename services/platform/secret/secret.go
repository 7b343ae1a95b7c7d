// Package secret provides a string that does not show itself: not in logs, not
// in errors, not in a printed configuration.
package secret

import (
	"log/slog"
)

// Mask is what a secret prints as.
const Mask = "******"

// String is a password, a token or a key.
type String string

// Reveal returns the secret itself, for the one place that uses it.
func (s String) Reveal() string { return string(s) }

// String prints stars, or nothing where there is no secret.
func (s String) String() string {
	if s == "" {
		return ""
	}
	return Mask
}

// GoString keeps %#v from printing the secret.
func (s String) GoString() string { return `"` + s.String() + `"` }

// LogValue keeps slog from printing the secret.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from printing the secret.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret as it is.
func (s *String) UnmarshalText(b []byte) error {
	*s = String(b)
	return nil
}
