package settings

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirflow/weirflow/services/platform/secret"
)

// Export renders the configuration as YAML, secrets masked.
func (cfg *Config) Export() ([]byte, error) {
	out, err := yaml.Marshal(masked(cfg.Root.Plain()))
	if err != nil {
		return nil, fmt.Errorf("export configuration: %w", err)
	}
	return out, nil
}

func masked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if isSecret(k) && inner != nil {
				v[k] = secret.Mask
				continue
			}
			v[k] = masked(inner)
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
	}
	return v
}

func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"password", "passphrase", "token", "secret", "api_key", "apikey"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
