package kafka

import (
	"fmt"
	"strconv"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// records are what rows are made of: a Kafka batch, or replayed letters.
type records interface {
	Len() int
	Record(i int) kafka.Record
	Headers(i int) []kafka.Header
}

// origin knows the records of a batch.
type origin struct {
	batch records
	index map[part]int
	// The partition that was asked for last, as most records follow one of the same.
	last   part
	number int
	asked  bool
}

type part struct {
	topic     string
	partition int32
}

// AppendEventID appends the record's event-id, or topic, partition and offset.
func (o *origin) AppendEventID(b []byte, i int) []byte {
	r := o.batch.Record(i)
	if len(r.Header) > 0 {
		return append(b, r.Header...)
	}
	b = append(append(b, r.Topic...), '-')
	b = append(strconv.AppendInt(b, int64(r.Partition), 10), '-')
	return strconv.AppendInt(b, r.Offset, 10)
}

// Partition is a number of the record's partition among those of the source.
func (o *origin) Partition(i int) int {
	if _, again := o.batch.(*replayed); again {
		return column.NoPartition
	}
	r := o.batch.Record(i)
	if p := (part{r.Topic, r.Partition}); !o.asked || p != o.last {
		o.last, o.number, o.asked = p, o.index[p], true
	}
	return o.number
}

// PartitionName is topic and number of the partition with a number of the source.
func (o *origin) PartitionName(n int) string {
	for p, i := range o.index {
		if i == n {
			return p.name()
		}
	}
	return strconv.Itoa(n)
}

func (p part) name() string { return p.topic + "/" + strconv.Itoa(int(p.partition)) }

// Describe names topic, partition and offset.
func (o *origin) Describe(i int) string {
	r := o.batch.Record(i)
	if again, ok := o.batch.(*replayed); ok {
		return fmt.Sprintf("topic %q, partition %d, offset %d, replayed from dead letter %s", r.Topic, r.Partition, r.Offset, again.letters[i].GetReplayOf())
	}
	return fmt.Sprintf("topic %q, partition %d, offset %d", r.Topic, r.Partition, r.Offset)
}

// EventMillis is the record's timestamp.
func (o *origin) EventMillis(i int) int64 { return o.batch.Record(i).TimestampMillis }
