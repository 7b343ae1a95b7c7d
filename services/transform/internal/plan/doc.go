// Package plan is the validated, typed relational plan that the SQL front end
// makes and the engine executes.
//
// A plan is a tree of nodes. Every node carries the columns it puts out, and
// how its rows change over time. Expressions refer to the columns of their
// node's input by index; every expression has a type and the place in the SQL
// text where it was written, so that an error at run time can point there.
// Nodes and expressions may be shared: two sinks of a statement set that read
// the same view hold the same node pointer. Nothing changes a plan once it is made.
package plan
