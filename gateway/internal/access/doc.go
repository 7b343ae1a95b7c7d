// Package access decides who may do what at the gateway: users, sessions, API tokens
// and an OpenID provider say who somebody is, a table of rules says what a role may.
// What it knows is in compacted topics, so that every gateway knows the same.
package access
