// Package eval compiles the expressions of a plan into functions over batches.
//
// A compiled expression gives a vector for a whole batch. Nulls follow SQL's
// three-valued logic, results and errors follow Flink's functions. The vector
// belongs to the expression and is valid until it is evaluated again.
package eval
