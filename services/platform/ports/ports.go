// Package ports lists the default port of everything that listens, in one
// place so that none is taken twice.
package ports

import (
	"net"
	"strconv"
)

// Ports that people and clients use.
const (
	GatewayHTTP = 8080
	IngestGRPC  = 7070
	Kafka       = 9092
	Search      = 9200
	Metrics     = 9090
)

// Ports of the services for one another.
const (
	AgentGRPC     = 7069
	TransformGRPC = 7071
	IndexerGRPC   = 7072
	AlertingGRPC  = 7073
)

// Admin ports: /metrics, /ready, /live, /config, pprof.
const (
	StandaloneAdmin = 7100
	AgentAdmin      = 7101
	IngestAdmin     = 7102
	TransformAdmin  = 7103
	IndexerAdmin    = 7104
	AlertingAdmin   = 7105
	GatewayAdmin    = 7106
)

// Loopback returns the address of a port that only this machine can reach.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
