package dashboard

import (
	"embed"
	"fmt"
	"path"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"

	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
)

//go:embed shipped/*.yaml
var files embed.FS //nolint:gochecknoglobals // embedding needs a variable

// shippedOnes are the dashboards that come along.
func shippedOnes() (map[string]*dashboardv1.Dashboard, error) {
	entries, err := files.ReadDir("shipped")
	if err != nil {
		return nil, err
	}
	out := make(map[string]*dashboardv1.Dashboard, len(entries))
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("shipped", e.Name()))
		if err != nil {
			return nil, err
		}
		js, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		d := &dashboardv1.Dashboard{}
		if err := protojson.Unmarshal(js, d); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		if err := check(d); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		d.Shipped = true
		out[d.GetName()] = d
	}
	return out, nil
}
