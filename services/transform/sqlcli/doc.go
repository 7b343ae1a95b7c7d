// Package sqlcli runs SQL scripts in a terminal: `weirflow sql`.
package sqlcli
