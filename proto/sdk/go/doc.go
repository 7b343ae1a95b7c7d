// Package sdk calls Weirflow's services over gRPC: connections that bring a token, and a
// writer of events that sends again what was not acknowledged. The calls themselves are
// those of the generated clients in github.com/weirflow/weirflow/proto/gen/go.
package sdk
