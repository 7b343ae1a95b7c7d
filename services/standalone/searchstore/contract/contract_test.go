package contract_test

import (
	"net/http/httptest"
	"os"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore"
	"github.com/weirflow/weirflow/services/standalone/searchstore/contract"
)

// TestContract runs the suite on the embedded store, or on the server that
// CONTRACT_URL (with CONTRACT_USER and CONTRACT_PASSWORD) names.
func TestContract(t *testing.T) {
	if u := os.Getenv("CONTRACT_URL"); u != "" {
		contract.Run(t, contract.Server{URL: u, User: os.Getenv("CONTRACT_USER"), Password: os.Getenv("CONTRACT_PASSWORD")})
		return
	}
	cfg := searchstore.DefaultConfig()
	cfg.DataDir, cfg.Password = t.TempDir(), "secret"
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	contract.Run(t, contract.Server{URL: srv.URL, User: cfg.User, Password: cfg.Password.Reveal()})
}
