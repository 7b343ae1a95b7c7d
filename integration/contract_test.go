//go:build integration

package integration

import (
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/contract"
)

// TestSearchContract runs what the project relies on in a search server on the
// real Elasticsearch; the embedded store runs the same suite in its unit tests.
func TestSearchContract(t *testing.T) {
	contract.Run(t, contract.Server{URL: env(t, "ELASTICSEARCH_URL"), User: "elastic", Password: env(t, "ELASTICSEARCH_PASSWORD")})
}
