// Package dashboard keeps dashboards in the compacted topic weirflow.dashboards, has
// some that come along, and writes each as Grafana imports it.
package dashboard
