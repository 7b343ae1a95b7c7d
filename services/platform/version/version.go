// Package version tells which build this is.
package version

import "runtime/debug"

// Number is the release. The build sets it with
// -ldflags "-X github.com/weirflow/weirflow/services/platform/version.Number=…".
var Number = "0.1.0-dev" //nolint:gochecknoglobals // the linker needs a variable

// String is the release and, where the build recorded it, the commit.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Number
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return Number + "+" + s.Value[:12]
		}
	}
	return Number
}
