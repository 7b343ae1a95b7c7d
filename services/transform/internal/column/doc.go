// Package column holds rows in columns: typed vectors with null bitmaps, and
// batches of them with row kinds and the origin of each row.
//
// Operators pass batches, never single rows. A batch and all it refers to
// belong to whoever made it and are valid until it is used again: text may lie
// in the memory of a Kafka client or in an arena. What must live longer is
// copied (see Vector.Value and Clone).
package column
