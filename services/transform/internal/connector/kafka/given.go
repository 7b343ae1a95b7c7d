package kafka

import (
	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Given decodes records that are given to it as a scan decodes those that it reads.
type Given struct {
	decode *decoding
	index  map[part]int
}

// NewGiven returns the decoder of a scan.
func NewGiven(scan *plan.Scan, o *connector.Options) (*Given, error) {
	d, err := newDecoding(scan, o)
	return &Given{decode: d, index: make(map[part]int)}, err
}

// one is a record by itself.
type one struct {
	record  kafka.Record
	headers []kafka.Header
}

// Len is 1.
func (o *one) Len() int { return 1 }

// Record returns the record.
func (o *one) Record(int) kafka.Record { return o.record }

// Headers returns its headers.
func (o *one) Headers(int) []kafka.Header { return o.headers }

// Partition returns the name of a partition as origins give it.
func (g *Given) Partition(topic string, number int32) string { return part{topic, number}.name() }

// Decode returns the rows of a record, which live until the next call. The error
// says what is wrong with the record.
func (g *Given) Decode(r kafka.Record, headers []kafka.Header) (*column.Batch, error) {
	p := part{r.Topic, r.Partition}
	if _, known := g.index[p]; !known {
		g.index[p] = len(g.index)
	}
	b := &one{r, headers}
	o := &origin{batch: b, index: g.index}
	cols, rows, err := g.decode.batch(b, 1, o, nil)
	if err != nil {
		return nil, err
	}
	out := &column.Batch{Len: len(rows), Cols: cols, Origin: o, Rows: rows}
	if g.decode.upsert {
		out.Kinds = g.decode.kinds
	}
	return out, nil
}
