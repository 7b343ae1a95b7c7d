// Package flow draws how events flow from files to alerts: what the services say of
// themselves, put together each second for all who watch.
package flow
