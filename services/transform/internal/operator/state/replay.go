package state

import (
	"io"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
)

// Replay gives back all entries of a state, oldest first, each with its number; see
// operator.StateReplayer. What a reader gives that has only the newest all has one number.
func Replay(r operator.StateReader, state string, f func(n uint32, key, value []byte) error) error {
	if all, ok := r.(operator.StateReplayer); ok {
		n := uint32(0)
		return all.Replay(state, func(key, value []byte) error {
			n++
			return f(n, key, value)
		})
	}
	return r.Each(state, func(key []byte, from io.Reader) error {
		value, err := io.ReadAll(from)
		if err != nil {
			return err
		}
		return f(1, key, value)
	})
}

// Newest tells which of the entries that are replayed are the newest of their keys:
// it hears of all of them twice. The numbers of keys are those of an index.
type Newest struct{ seen pages.List[uint32] }

// See notes entry number n, of a key.
func (x *Newest) See(key int32, n uint32) {
	x.seen.Grow(int(key) + 1)
	*x.seen.At(key) = n
}

// Is reports whether entry number n is the newest of its key.
func (x *Newest) Is(key int32, n uint32) bool { return *x.seen.At(key) == n }
