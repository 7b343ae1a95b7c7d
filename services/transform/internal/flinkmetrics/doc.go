// Package flinkmetrics tells how jobs do under the names and labels that Apache
// Flink's Prometheus reporters use, so that dashboards and rules made for Flink work.
// Everything is read when it is asked for; nothing is counted on the way of rows.
package flinkmetrics
