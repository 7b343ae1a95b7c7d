// Package settings reads Filebeat's configuration files.
//
// A file becomes a tree of nodes that know their line. Dotted keys are taken
// apart wherever they stand, later files and overrides are laid over earlier
// ones, variables are replaced. What may stand where is said by tables of
// options; a key that is in none of them is an error which names the nearest
// right one.
package settings
