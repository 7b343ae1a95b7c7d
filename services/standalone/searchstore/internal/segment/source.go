package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// blockSize is how many bytes of sources are compressed together.
const blockSize = 48 << 10

// codec compresses and decompresses; safe for concurrent use.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

var zstdCodec = sync.OnceValues(func() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	return &codec{enc, dec}, nil
})

func compress(dst, src []byte) []byte {
	c, err := zstdCodec()
	if err != nil {
		return append(dst, src...)
	}
	return c.enc.EncodeAll(src, dst)
}

func decompress(src []byte) ([]byte, error) {
	c, err := zstdCodec()
	if err != nil {
		return nil, err
	}
	out, err := c.dec.DecodeAll(src, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return out, nil
}

// block is a run of compressed sources: lengths as varints, then the texts.
type block struct {
	first, n int // documents
	rawSize  int
	data     atomic.Pointer[[]byte]
	open     atomic.Pointer[opened]
}

// opened is a decompressed block.
type opened struct {
	offs []uint32
	text []byte
}

type sourceBuilder struct {
	text    []byte
	offs    []uint32 // of all documents in text
	scratch []byte
}

func newSourceBuilder() *sourceBuilder { return &sourceBuilder{offs: []uint32{0}} }

func (s *sourceBuilder) add(src []byte) {
	s.text = append(s.text, src...)
	s.offs = append(s.offs, uint32(len(s.text)))
}

func (s *sourceBuilder) raw(doc int) []byte { return s.text[s.offs[doc]:s.offs[doc+1]] }

func (s *sourceBuilder) finish() []*block {
	var out []*block
	n := len(s.offs) - 1
	for i := 0; i < n; {
		j := i + 1
		for j < n && s.offs[j]-s.offs[i] < blockSize {
			j++
		}
		out = append(out, s.pack(i, j))
		i = j
	}
	return out
}

func (s *sourceBuilder) pack(i, j int) *block {
	raw := s.scratch[:0]
	for k := i; k < j; k++ {
		raw = binary.AppendUvarint(raw, uint64(s.offs[k+1]-s.offs[k]))
	}
	raw = append(raw, s.text[s.offs[i]:s.offs[j]]...)
	s.scratch = raw
	b := &block{first: i, n: j - i, rawSize: len(raw)}
	data := compress(nil, raw)
	b.data.Store(&data)
	return b
}

func openBlock(data []byte, n int) (*opened, error) {
	raw, err := decompress(data)
	if err != nil {
		return nil, err
	}
	o := &opened{offs: make([]uint32, n+1)}
	for i := range n {
		l, k := binary.Uvarint(raw)
		if k <= 0 {
			return nil, errors.New("read block: lengths are cut off")
		}
		raw = raw[k:]
		o.offs[i+1] = o.offs[i] + uint32(l)
	}
	if int(o.offs[n]) != len(raw) {
		return nil, fmt.Errorf("read block: %d bytes, lengths say %d", len(raw), o.offs[n])
	}
	o.text = raw
	return o, nil
}
