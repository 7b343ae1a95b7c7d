package access

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// routes finds the gRPC call of a REST route, by the HTTP method and the pattern that
// the router itself has matched: what is asked for and what then runs are the same.
type routes map[string]string

// variable is a part of a pattern such as {name}.
var variable = regexp.MustCompile(`\{([^}=]+)\}`) //nolint:gochecknoglobals // a constant of its kind

// readRoutes reads the document from which the router was generated.
func readRoutes(doc []byte) (routes, error) {
	var file struct {
		HTTP struct {
			Rules []struct {
				Selector string `yaml:"selector"`
				Get      string `yaml:"get"`
				Put      string `yaml:"put"`
				Post     string `yaml:"post"`
				Delete   string `yaml:"delete"`
				Patch    string `yaml:"patch"`
			} `yaml:"rules"`
		} `yaml:"http"`
	}
	if err := yaml.Unmarshal(doc, &file); err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	out := routes{}
	for _, r := range file.HTTP.Rules {
		dot := strings.LastIndexByte(r.Selector, '.')
		if dot < 0 {
			return nil, fmt.Errorf("read the routes: %q is no call", r.Selector)
		}
		call := "/" + r.Selector[:dot] + "/" + r.Selector[dot+1:]
		for method, path := range map[string]string{"GET": r.Get, "PUT": r.Put, "POST": r.Post, "DELETE": r.Delete, "PATCH": r.Patch} {
			if path != "" {
				out[method+" "+variable.ReplaceAllString(path, "{$1=*}")] = call
			}
		}
	}
	return out, nil
}
