package httpapi

import (
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
)

// analyzer is the analyzer that _analyze shows.
type analyzer = analysis.Analyzer

func builtinAnalyzer(name string) *analyzer { return analysis.Builtin(name) }

func customAnalyzer(tokenizer string, filters []string) (*analyzer, error) {
	an, unknown := analysis.Custom(tokenizer, filters)
	if an == nil {
		return nil, apierr.Illegal("failed to find global %s", unknown)
	}
	return an, nil
}
