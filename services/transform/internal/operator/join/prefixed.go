package join

import (
	"io"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

// prefixed keeps the state of a wrapper apart from that of the wrapped operator.
type prefixed struct {
	w operator.StateWriter
	r operator.StateReader
}

const prefix = "first."

// Put writes an entry under the prefixed name.
func (p prefixed) Put(state string, key, value []byte) error {
	return p.w.Put(prefix+state, key, value)
}

// Each reads the entries under the prefixed name.
func (p prefixed) Each(state string, f func(key []byte, value io.Reader) error) error {
	return p.r.Each(prefix+state, f)
}
