// Package event renders log lines as Filebeat's event JSON.
//
// A Template is compiled once for a source, whose host, agent, input, tags and
// fields are the same for every line; rendering a line then is a few copies and
// one scan of the line for bytes that JSON wants escaped. Nothing is allocated
// per line.
//
// The escaping is that of Filebeat's output codec with HTML escaping off, its
// default: control characters, quote and backslash, U+2028 and U+2029, and
// U+FFFD for each byte that is not part of valid UTF-8.
package event
