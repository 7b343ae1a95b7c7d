package script

import (
	"context"
	"errors"
	"strconv"

	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/pipeline"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Once runs plans that are no job: nothing of them is kept.
type Once struct {
	Connectors connector.Registry
	Functions  wasm.Library
	Env        connector.Env
	Config     map[string]string
	// Stage counts the records; nil for nobody.
	Stage *ledger.Stage
}

// Run gives the rows of roots[i] to takers[i] until the inputs or the context end.
// The sinks are those of the takers that need to be polled and flushed.
func (o Once) Run(ctx context.Context, roots []plan.Node, takers []exec.Sink, sinks []connector.Sink) (err error) {
	functions := o.Functions.Open()
	defer func() { err = errors.Join(err, functions.Close()) }()
	g, err := exec.Build(roots, takers, EnvOf(o.Config, o.Env.Now, functions))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	if err := o.Connectors.OpenLookups(o.Env, g); err != nil {
		return err
	}
	var inputs []pipeline.Input
	for i, scan := range g.Scans {
		src, err := o.Connectors.Source(o.Env, scan.Plan)
		if err != nil {
			return err
		}
		inputs = append(inputs, pipeline.Input{Name: scan.Plan.Table.Name + "#" + strconv.Itoa(i), Scan: scan, Source: src})
	}
	return pipeline.Run(ctx, pipeline.Config{Graph: g, Inputs: inputs, Sinks: sinks, Stage: o.Stage})
}
