// Package connector is how tables are read and written: what a connector is,
// the options that one declares, and the names that older statements use.
//
// The connectors themselves are the packages below.
package connector
