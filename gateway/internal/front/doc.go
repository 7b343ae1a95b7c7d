// Package front is the gateway's gRPC port: it passes the calls of every service on to
// where they are answered, after it has asked whether they may be made.
package front
