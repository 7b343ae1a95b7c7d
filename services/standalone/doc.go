// Package standalone runs all of Weirflow in one process: the services as they
// are, on an embedded Kafka broker and an embedded search store, or on real ones
// where the configuration names them. Which parts are embedded is decided here
// and nowhere else: the services reach both kinds in the same way.
package standalone
