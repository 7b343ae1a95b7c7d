// Package exec runs plans: a graph of operators that pass batches of columns.
//
// A graph is driven by one goroutine. Batches go depth-first from a scan to the
// sinks, so that when Push returns everything that follows from the batch is
// with the sinks. Rows carry their kind and the record they came from,
// watermarks and the end of input travel the same way, and operators with state
// write it to a checkpoint and read it back.
package exec
