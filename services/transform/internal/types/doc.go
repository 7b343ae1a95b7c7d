// Package types holds the logical types of SQL: what a column, an expression
// or a literal is, how it prints, and which types convert into which.
//
// A Type is a small immutable value. Two types are the same when Equal says
// so; the struct holds slices and pointers, so == must not be used.
package types
