package job

import (
	"context"
	"fmt"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/script"
)

// Compare says what would become of a job's state, or of that of its savepoint if
// one is named, if its statements were those of a program.
func (m *Manager) Compare(ctx context.Context, job, savepoint string, p *script.Program) (jobv1.Effect, []*jobv1.Change, error) {
	if _, ok := m.jobs.Get(job); !ok && savepoint == "" {
		return 0, nil, fmt.Errorf("job %q: %w", job, ErrNotFound)
	}
	last, err := m.lastState(ctx, job, savepoint)
	if err != nil {
		return 0, nil, err
	}
	if last == nil {
		return jobv1.Effect_EFFECT_NONE, nil, nil
	}
	effect, changes := compare(last.GetOperators(), p.Remembers)
	return effect, changes, nil
}

func (m *Manager) lastState(ctx context.Context, job, savepoint string) (*statev1.Checkpoint, error) {
	if savepoint == "" {
		s, err := checkpoint.Peek(ctx, m.stateConfig(job, 0))
		if err != nil {
			return nil, err
		}
		defer s.Close()
		return s.Last(), nil
	}
	shelf, err := m.shelf(ctx, job, false)
	if err != nil {
		return nil, fmt.Errorf("savepoint %q of job %q: %w", savepoint, job, err)
	}
	defer shelf.Close()
	p, err := shelf.Savepoint(savepoint)
	return p.GetCheckpoint(), err
}

// compare tells for each operator with state whether it gets its state back.
func compare(had []*statev1.Operator, have []exec.Remembered) (jobv1.Effect, []*jobv1.Change) {
	old := make(map[string]*statev1.Operator)
	for _, o := range had {
		if o.GetShape() != "" { // others have nothing but watermarks, which begin anew
			old[o.GetId()] = o
		}
	}
	var changes []*jobv1.Change
	var fresh []exec.Remembered
	for _, o := range have {
		was := old[o.ID]
		switch {
		case o.Shape == "":
			continue
		case was == nil:
			fresh = append(fresh, o)
			continue
		case was.GetShape() != o.Shape:
			changes = append(changes, &jobv1.Change{Effect: jobv1.Effect_EFFECT_INCOMPATIBLE, Operator: o.Name,
				Reason: fmt.Sprintf("its state was written for %s and now would have to be for %s", was.GetShape(), o.Shape)})
		default:
			changes = append(changes, &jobv1.Change{Effect: jobv1.Effect_EFFECT_COMPATIBLE, Operator: o.Name, Reason: "it is the same"})
		}
		delete(old, o.ID)
	}
	for _, o := range fresh {
		changes = append(changes, &jobv1.Change{Effect: jobv1.Effect_EFFECT_REBUILD, Operator: o.Name, Reason: whyEmpty(o, old)})
	}
	for _, o := range had {
		if old[o.GetId()] == o {
			changes = append(changes, &jobv1.Change{Effect: jobv1.Effect_EFFECT_REBUILD, Operator: o.GetName(), Reason: "the statements have no such operator any more: its state is given up"})
		}
	}
	effect := jobv1.Effect_EFFECT_COMPATIBLE
	for _, c := range changes {
		effect = max(effect, c.GetEffect())
	}
	return effect, changes
}

// whyEmpty says why an operator finds no state; the one whose place it takes is
// taken from old.
func whyEmpty(o exec.Remembered, old map[string]*statev1.Operator) string {
	for id, was := range old {
		if was.GetPlace() != o.Place {
			continue
		}
		delete(old, id)
		if was.GetShape() != o.Shape {
			return fmt.Sprintf("it starts empty: it was %s and is now %s", was.GetShape(), o.Shape)
		}
		return "it starts empty: the rows, keys or conditions that it works with are others than before"
	}
	return "it is new and starts empty, from where the inputs stand"
}
