// Package alerting is the service that keeps metrics of every service and job,
// evaluates policies, and tells people: Prometheus's and the Alertmanager's engines
// in one process, behind their own HTTP APIs.
package alerting
