// Package integration runs the built binaries as their users do: all in one
// process on embedded parts, and as separate processes on a real Kafka and a
// real Elasticsearch, through the same scenarios. The tests need the build tag
// `integration` and what scripts/integration.sh starts.
package integration
