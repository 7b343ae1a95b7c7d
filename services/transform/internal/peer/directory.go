package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// tagPrefix begins the client.id by which an instance tells where it is reached.
const tagPrefix = "weirflow-transform@"

// Tag is the client.id of an instance that others reach at an address.
func Tag(address string) string { return tagPrefix + address }

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
		x := Instance{Name: m.Instance}
		if a, ok := strings.CutPrefix(m.ClientID, tagPrefix); ok {
			x.Address = a
		}
		for _, p := range m.Partitions {
			if p.Topic == d.Topic {
				x.slots = append(x.slots, p.Partition)
			}
		}
		all = append(all, x)
	}
	return all, nil
}
