package checkpoint

// Chunks packs a delta.
func Chunks(d *Delta) [][]byte { return d.chunks() }

// AddChunks takes in a segment of one chunk.
func AddChunks(m *Image, chunk []byte) error { return m.add(0, [][]byte{chunk}) }
