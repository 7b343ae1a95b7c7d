// Package cli has the commands with which people and scripts use a running Weirflow
// over its HTTP API: jobs, topics, messages, search, dead letters, agents, alerts,
// policies, status, and apply, which makes a server equal to files.
package cli
