// Package differential gives the same SQL to a real Apache Flink and to the
// engine, and compares what they answer: random typed expressions, expressions
// listed in testdata, and random queries over small streams. The tests need the
// build tag `integration` and the Flink of scripts/real/flink; without one that
// answers they skip.
package differential
