// Package credential reads the secrets of channels: written in the configuration,
// taken from the environment, or kept in a file.
package credential

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weirflow/weirflow/services/platform/secret"
)

// Source is where a secret comes from: the setting Key, or a file that the setting
// Key_file names. The value may hold ${NAME}, for a variable of the environment.
type Source struct {
	Key   string
	Value secret.String
	File  string
}

// Given reports whether there is one.
func (s Source) Given() bool { return s.Value != "" || s.File != "" }

// Validate wants one of both, and a file that does not depend on where the process
// was started.
func (s Source) Validate() error {
	switch {
	case s.Value != "" && s.File != "":
		return fmt.Errorf("%s and %s_file exclude each other", s.Key, s.Key)
	case s.Value == "" && s.File == "":
		return fmt.Errorf("%s or %s_file is required", s.Key, s.Key)
	case s.File != "" && !filepath.IsAbs(s.File):
		return fmt.Errorf("%s_file: %s is not an absolute path", s.Key, s.File)
	}
	return nil
}

// Read returns the secret itself. Files are read each time, so that a new one counts
// at once.
func (s Source) Read() (string, error) {
	if s.File != "" {
		b, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", s.Key, err)
		}
		text := strings.TrimSpace(string(b))
		if text == "" {
			return "", fmt.Errorf("%s_file: %s is empty", s.Key, s.File)
		}
		return text, nil
	}
	return Expand(s.Key, s.Value.Reveal())
}

// Expand puts variables of the environment in the place of ${NAME}.
func Expand(key, text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var missing string
	out := regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`).ReplaceAllStringFunc(text, func(name string) string {
		name = name[2 : len(name)-1]
		v := os.Getenv(name)
		if v == "" && missing == "" {
			missing = name
		}
		return v
	})
	if missing != "" {
		return "", fmt.Errorf("%s: the environment has no %s", key, missing)
	}
	return out, nil
}
