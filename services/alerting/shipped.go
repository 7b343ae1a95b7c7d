package alerting

import (
	"fmt"

	"github.com/weirflow/weirflow/services/alerting/internal/host"
	"github.com/weirflow/weirflow/services/alerting/internal/shipped"
)

// ship loads the rules that come with Weirflow, and what they look at beside the
// metrics of the services.
func (s *Service) ship() error {
	if err := s.d.Registry.Register(host.New(s.cfg.DataDir)); err != nil {
		return fmt.Errorf("register the metrics of the machine: %w", err)
	}
	if !s.cfg.ShippedRules {
		return nil
	}
	return s.metrics.AddRules("weirflow", shipped.Rules)
}
