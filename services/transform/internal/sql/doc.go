// Package sql is the front end for Flink SQL: a session parses statements, keeps
// the catalog that they define, and turns queries into plans for the engine.
package sql
