package alerting

import (
	"context"
	"log/slog"
)

// quiet passes warnings and errors on: the engines tell of every start and every
// round of their upkeep.
type quiet struct{ slog.Handler }

// Enabled reports whether a record of the level is passed on.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs returns a handler with more attributes.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup returns a handler with a group.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
