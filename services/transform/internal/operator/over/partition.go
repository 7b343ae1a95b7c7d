package over

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// timed is a row with its time.
type timed struct {
	time int64
	row  string
}

// partition is the state of a partition.
type partition struct {
	pending []timed // in order of time, of rows to come
	frame   []timed // the rows before that may still be in a frame
	history []string
	slot    int32
	last    int64 // the time of the last row that was put out
	rows    int64 // how many those are
	rank    int64
	dense   int64
	due     int64
}

func newPartition(slot int32) *partition {
	return &partition{slot: slot, last: operator.NoWatermark, due: operator.MaxWatermark}
}

// insert puts a row among those to come, behind those of its time.
func (p *partition) insert(t timed) {
	at := len(p.pending)
	for at > 0 && p.pending[at-1].time > t.time {
		at--
	}
	p.pending = append(p.pending, timed{})
	copy(p.pending[at+1:], p.pending[at:])
	p.pending[at] = t
}

func appendTimed(dst []byte, list []timed) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, t := range list {
		dst = row.AppendText(binary.AppendVarint(dst, t.time), t.row)
	}
	return dst
}

func readTimed(s string) (list []timed, rest string, err error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, s, err
	}
	for range n {
		var t timed
		if t.time, s, err = row.Varint(s); err != nil {
			return nil, s, err
		}
		if t.row, s, err = row.Text(s); err != nil {
			return nil, s, err
		}
		list = append(list, t)
	}
	return list, s, nil
}

func (o *Over) save(dst []byte, p *partition) []byte {
	dst = appendTimed(appendTimed(dst, p.pending), p.frame)
	dst = binary.AppendUvarint(dst, uint64(len(p.history)))
	for _, h := range p.history {
		dst = row.AppendText(dst, h)
	}
	for _, n := range []int64{p.last, p.rows, p.rank, p.dense} {
		dst = binary.AppendVarint(dst, n)
	}
	return o.set.Save(dst, p.slot)
}

func (o *Over) load(key, s string) (*partition, error) {
	p := newPartition(o.set.New())
	var err error
	if p.pending, s, err = readTimed(s); err != nil {
		return nil, err
	}
	if p.frame, s, err = readTimed(s); err != nil {
		return nil, err
	}
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	for range n {
		var h string
		if h, s, err = row.Text(s); err != nil {
			return nil, err
		}
		p.history = append(p.history, h)
	}
	for _, to := range []*int64{&p.last, &p.rows, &p.rank, &p.dense} {
		if *to, s, err = row.Varint(s); err != nil {
			return nil, err
		}
	}
	if len(p.pending) > 0 {
		o.schedule(p, key)
	}
	_, err = o.set.Load(p.slot, s)
	return p, err
}
