package connector

import "context"

// Transactional is a sink whose rows lie in an open transaction: nobody sees them
// until it is committed, and a run that starts again aborts what the last one left
// open. Sinks of one job share their transaction, so one call is for all of them.
//
// Between the snapshot that a checkpoint is made of and CommitWith, no rows of
// after the snapshot may be written.
type Transactional interface {
	// CommitWith adds a record for partition 0 of a topic to the transaction, commits
	// it, and opens the next:
	// the rows and the record become visible together. After an error the run has
	// to begin anew. An empty topic adds no record.
	CommitWith(ctx context.Context, topic string, key, value []byte) error
}
