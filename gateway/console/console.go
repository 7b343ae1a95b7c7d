// Package console has the console's built pages, which `make console` makes of the
// sources beside it.
package console

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS //nolint:gochecknoglobals // embedding needs a variable

// Files are the built pages, with index.html at the top.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }
