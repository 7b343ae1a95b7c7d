// Package checkpoint keeps what jobs remember: the state of operators, packed
// into chunks of a few hundred kilobytes, and the records that make a set of
// chunks with the positions of the inputs one checkpoint.
//
// A checkpoint writes the entries that changed. Beside them a sweep writes a few
// of all entries each time; when it has come round, what was written before it
// began is needed no more and is removed. So the log of chunks stays a small
// multiple of the state, and no checkpoint has to write all of it.
package checkpoint
