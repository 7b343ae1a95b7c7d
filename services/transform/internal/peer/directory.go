package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// errUnsettled says that jobs are changing hands.
var errUnsettled = errors.New("jobs are being shared out among the instances")

// Instance is one of those that share the jobs.
type Instance struct {
	Name, Address string
	slots         []int32
}

// Has reports whether a share of the jobs is the instance's.
func (x Instance) Has(slot int32) bool { return slices.Contains(x.slots, slot) }

// Directory knows the instances.
type Directory struct {
	Admin *kafka.Admin
	// Group shares out the partitions of Topic.
	Group, Topic string
	// Address tells where an instance is reached; empty if that is not known.
	Address func(name string) string
}

// Instances returns all, or errUnsettled.
func (d *Directory) Instances(ctx context.Context) ([]Instance, error) {
	members, settled, err := d.Admin.Group(ctx, d.Group)
	if err != nil {
		return nil, fmt.Errorf("ask who has which jobs: %w", err)
	}
	if !settled {
		return nil, errUnsettled
	}
	var all []Instance
	for _, m := range members {
		x := Instance{Name: m.Instance, Address: d.Address(m.Instance)}
		for _, p := range m.Partitions {
			if p.Topic == d.Topic {
				x.slots = append(x.slots, p.Partition)
			}
		}
		all = append(all, x)
	}
	return all, nil
}
