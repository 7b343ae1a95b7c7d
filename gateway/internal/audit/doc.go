// Package audit writes down who changed what, and who was refused, in a topic.
package audit
