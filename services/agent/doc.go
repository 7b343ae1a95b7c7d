// Package agent reads log files and ships their lines: it takes Filebeat's
// configuration, emits Filebeat's events, and remembers of each file how much
// has been acknowledged.
package agent
