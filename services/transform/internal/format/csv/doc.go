// Package csv decodes records of separated values into columns and renders rows as
// such records, by the rules of Flink's csv format.
//
// Columns go by their place in the record. Only those that are read are converted;
// the others are gone over, so that a record of the wrong number of values is
// noticed whatever is read. Text is not copied unless it holds escapes, so a record
// must stay in place until its batch is done.
package csv
