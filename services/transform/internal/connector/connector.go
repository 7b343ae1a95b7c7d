package connector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Position is how far a partition of a source has been read.
type Position struct {
	Topic     string
	Partition int32
	// Offset is that of the next record to read.
	Offset int64
}

// Chunk is what a source has read: rows, and the records they came from.
type Chunk struct {
	Batch *column.Batch
	// Records is how many records were read; those without a row were skipped.
	Records int
	// Dead is how many of the records could not be read and are kept as dead
	// letters; Keep, which is set then, writes them and calls done when they are safe.
	Dead int
	Keep func(done func(error))
	// KeepLate writes records as dead letters that came too late for an operator, or
	// without a time, and calls done when they are safe; nil where nobody asks for it.
	// It is called before Release, with the records' numbers in the batch's origin.
	KeepLate func(records []int32, done func(error))
	// Positions are those behind the chunk, of the partitions that it is from.
	Positions []Position
	// Partitions are those that are read from now on. They are told before their
	// first record, so that time does not pass without them.
	Partitions []Partition
	// Release gives the chunk's memory back. It may be called from any goroutine.
	Release func()
}

// Partition is a part of a source that is read in order.
type Partition struct {
	// Name is that which origins give it.
	Name string
	// Empty says that no record was ever in it.
	Empty bool
}

// Source reads a table.
type Source interface {
	// Run reads from the positions given, or where the table's options say, until
	// the context ends or the input does. emit may block.
	Run(ctx context.Context, from []Position, emit func(Chunk) error) error
}

// Monitor is a source that knows how much is left to read.
type Monitor interface {
	// Lag returns, by partition, the offset behind the last record and the
	// time of the last record read.
	Lag() []PartitionLag
}

// Waiter is a source that may have to wait until it can be read.
type Waiter interface {
	// Waiting returns why it waits; empty when it does not.
	Waiting() string
}

// PartitionLag is what is left to read of a partition.
type PartitionLag struct {
	Position
	End        int64
	LastMillis int64
}

// Replayer is a source whose dead letters can enter the job again.
type Replayer interface {
	// Replays returns the source of what is replayed, whose rows are like those of
	// the table; nil where nothing can be.
	Replays() (Source, error)
}

// Committer is a source that tells others how far it has got.
type Committer interface {
	Commit(positions []Position) error
}

// Sink writes a table. Write copies what it keeps and releases the receipt that
// it held when the rows are safe.
type Sink interface {
	exec.Sink
	// Poll sends what has waited long enough. It is called every few milliseconds.
	Poll(now time.Time) error
	// Flush sends everything and waits until it is safe.
	Flush(ctx context.Context) error
	Close() error
}

// Aborter is a sink or source whose writing may block for as long as its cluster is away.
type Aborter interface {
	// Abort makes what blocks return. It may be called from any goroutine.
	Abort()
}

// Env is what connectors work with.
type Env struct {
	Logger *slog.Logger
	// Job and Epoch are the run's; Job is empty for a script in a terminal.
	Job   string
	Epoch int64
	// Generation of what the run remembers, which tells it from others of the job that
	// believe to be the one; known when the first row is written. It may be nil.
	Generation func() int64
	// Lane tells apart sinks of one job that write the same table.
	Lane uint32
	// Input names what a source is made for among the inputs of the job.
	Input string
	// Now is the clock.
	Now func() time.Time
	// Handoff is the Kafka cluster of IndexBatch records; empty brokers: none.
	Handoff Handoff
	// Commits says that the run calls CommitWith of Transactional sinks with each
	// checkpoint. Without a job, such sinks commit by themselves.
	Commits bool
	// Print is where the print connector writes.
	Print Printer
}

// Printer takes lines of output.
type Printer interface {
	Println(line []byte)
}

// Factory makes the sources and sinks of a connector.
type Factory struct {
	// Options returns what the connector takes; the table's options tell the format.
	Options func(values map[string]string) []Option
	// Source is nil when the connector cannot be read, Sink when it cannot be written.
	Source func(env Env, scan *plan.Scan, o *Options) (Source, error)
	Sink   func(env Env, sink *plan.Sink, o *Options) (Sink, error)
	// Lookup answers lookup joins by the columns keys of the scan, whose columns are
	// those of the answers; nil when the connector cannot be asked for single rows.
	Lookup func(env Env, scan *plan.Scan, keys []int, o *Options) (Lookup, error)
	// Check looks at a table's options together; it may be nil.
	Check func(t *plan.Table, o *Options) error
	// CheckSink and CheckScan say why an INSERT or a scan cannot be carried out;
	// they may be nil.
	CheckSink func(sink *plan.Sink, o *Options) error
	CheckScan func(scan *plan.Scan, o *Options) error
	// Bounded says whether a scan with these options ends.
	Bounded func(o *Options) bool
}

// Registry knows the connectors by name.
type Registry map[string]Factory

// ErrNoConnector says that a table names no connector.
var ErrNoConnector = errors.New("option 'connector' is missing")

// Lookup returns the factory of a table and its checked options, in today's spelling.
func (r Registry) Lookup(t *plan.Table) (Factory, *Options, error) {
	values, err := Modernize(t.Options)
	if err != nil {
		return Factory{}, nil, &OptionError{Table: t.Name, Reason: err.Error()}
	}
	name := values["connector"]
	if name == "" {
		return Factory{}, nil, &OptionError{Table: t.Name, Reason: ErrNoConnector.Error() + r.noConnector(values)}
	}
	f, ok := r[name]
	if !ok {
		known := slices.Sorted(maps.Keys(r))
		return Factory{}, nil, &OptionError{Table: t.Name, Key: "connector", Reason: fmt.Sprintf("%q is not known%s", name, suggest.Hint(name, known))}
	}
	o, err := NewOptions(t.Name, values, append([]Option{{Key: "connector"}, {Key: legacyMark}}, f.Options(values)...))
	if err != nil {
		return Factory{}, nil, err
	}
	if f.Check != nil {
		err = f.Check(t, o)
	}
	return f, o, err
}

// noConnector says how to name a connector, or which option may be meant as one.
func (r Registry) noConnector(values map[string]string) string {
	for key := range values {
		if k, ok := suggest.Nearest(key, []string{"connector"}); ok && k != key {
			return ": is '" + key + "' meant?"
		}
	}
	return "; add WITH ('connector' = '…', …), one of " + strings.Join(slices.Sorted(maps.Keys(r)), ", ")
}

// Validate checks the options of a table, for CREATE TABLE, whose own error names the table.
func (r Registry) Validate(t *plan.Table) error {
	_, _, err := r.Lookup(t)
	if o, ok := errors.AsType[*OptionError](err); ok {
		return &OptionError{Key: o.Key, Reason: o.Reason}
	}
	return err
}

// CheckScan says why a table cannot be read the way a scan does.
func (r Registry) CheckScan(scan *plan.Scan) error {
	_, _, err := r.scan(scan)
	return err
}

func (r Registry) scan(scan *plan.Scan) (Factory, *Options, error) {
	f, o, err := r.Lookup(scan.Table)
	switch {
	case err != nil:
	case f.Source == nil:
		err = &OptionError{Table: scan.Table.Name, Reason: fmt.Sprintf("connector '%s' can only be written to", o.Text("connector"))}
	case f.CheckScan != nil:
		err = f.CheckScan(scan, o)
	}
	return f, o, err
}

// CheckSink says why a table cannot be written the way an INSERT does.
func (r Registry) CheckSink(sink *plan.Sink) error {
	_, _, err := r.sink(sink)
	return err
}

func (r Registry) sink(sink *plan.Sink) (Factory, *Options, error) {
	f, o, err := r.Lookup(sink.Table)
	switch {
	case err != nil:
	case f.Sink == nil:
		err = &OptionError{Table: sink.Table.Name, Reason: fmt.Sprintf("connector '%s' can only be read", o.Text("connector"))}
	case f.CheckSink != nil:
		err = f.CheckSink(sink, o)
	}
	return f, o, err
}

// Source makes the source of a scan.
func (r Registry) Source(env Env, scan *plan.Scan) (Source, error) {
	f, o, err := r.scan(scan)
	if err != nil {
		return nil, err
	}
	return f.Source(env, scan, o)
}

// Sink makes the sink of an INSERT.
func (r Registry) Sink(env Env, sink *plan.Sink) (Sink, error) {
	f, o, err := r.sink(sink)
	if err != nil {
		return nil, err
	}
	return f.Sink(env, sink, o)
}

// Bounded reports whether reading a table ends.
func (r Registry) Bounded(t *plan.Table) bool {
	f, o, err := r.Lookup(t)
	return err == nil && f.Bounded != nil && f.Bounded(o)
}
