// Package datum reads and writes single values as Flink does: numbers in
// Java's notation, dates, times, timestamps, decimals and booleans.
package datum
