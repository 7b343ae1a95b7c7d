// Package json decodes JSON records into columns and renders rows as JSON, by
// the rules of Flink's json format.
//
// The decoder is driven by the columns that are read: one pass over the bytes,
// no tree, nothing allocated per record. Text is not copied unless it holds
// escapes, so a record must stay in place until its batch is done.
//
// Consecutive records of one source mostly have the same bytes. The decoder
// keeps the last records' texts as templates: the stretches that never changed
// are compared, not parsed, and the columns in them are taken from the template.
package json
