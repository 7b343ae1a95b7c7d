// Package gateway serves people and scripts over HTTP: a REST API generated from
// the protos, its OpenAPI document, and a read-only way to the search store. It
// holds no state: every answer comes from the services behind it.
package gateway
