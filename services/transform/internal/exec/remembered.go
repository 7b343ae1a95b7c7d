package exec

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

// Remembered is an operator with state.
type Remembered struct {
	// ID is derived from what the operator does; Place from where it stands only.
	ID, Name, Place string
	// Shape is what the state is written for.
	Shape   string
	Entries int64
}

// Snapshot writes the state of all operators that changed since it was last called.
func (g *Graph) Snapshot(writer func(operator string) StateWriter) error {
	for _, v := range g.vertices {
		if err := v.op.Snapshot(writer(v.id)); err != nil {
			return fmt.Errorf("snapshot %s: %w", v.name, err)
		}
		if k, ok := v.op.(operator.Keeper); ok {
			v.entries.Store(int64(k.Entries()))
		}
	}
	return nil
}

// Sweep writes all state, also what did not change. It calls more after every
// entry; rows may be pushed meanwhile, and false ends it.
func (g *Graph) Sweep(writer func(operator string) StateWriter, more func() bool) (bool, error) {
	for _, v := range g.vertices {
		k, ok := v.op.(operator.Keeper)
		if !ok {
			if v.keeps {
				return false, fmt.Errorf("sweep %s: it cannot write all of its state", v.name)
			}
			continue
		}
		if done, err := k.Sweep(writer(v.id), more); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

// Restore gives all operators their state back.
func (g *Graph) Restore(reader func(operator string) StateReader) error {
	for _, v := range g.vertices {
		if err := v.op.Restore(reader(v.id)); err != nil {
			return fmt.Errorf("restore %s: %w", v.name, err)
		}
		if k, ok := v.op.(operator.Keeper); ok {
			v.entries.Store(int64(k.Entries()))
		}
	}
	return nil
}

// Remembers lists the operators that have something to remember, be it a watermark.
func (g *Graph) Remembers() []Remembered {
	var all []Remembered
	for _, v := range g.vertices {
		if k, ok := v.op.(operator.Keeper); ok {
			all = append(all, Remembered{ID: v.id, Name: v.name, Place: v.place, Shape: k.Shape(), Entries: int64(k.Entries())})
		}
	}
	return all
}
