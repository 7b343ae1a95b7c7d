package kafka

import (
	"fmt"
	"strconv"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// origin knows the records of a Kafka batch.
type origin struct {
	batch *kafka.Batch
	index map[part]int
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
	r := o.batch.Record(i)
	return o.index[part{r.Topic, r.Partition}]
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
	return fmt.Sprintf("topic %q, partition %d, offset %d", r.Topic, r.Partition, r.Offset)
}

// EventMillis is the record's timestamp.
func (o *origin) EventMillis(i int) int64 { return o.batch.Record(i).TimestampMillis }
