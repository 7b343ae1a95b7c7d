// Package limit bounds what one caller may ask for: how many requests in a second,
// and how often a password may be wrong.
package limit
