// Package registry remembers how far each file has been sent.
//
// # Files
//
// The registry is one append-only file, `log`, in its directory, beside `lock`,
// which keeps a second process out. `log` begins with the eight bytes
// "WFREG001". Records follow:
//
//	length   uint32, little endian: bytes of the body
//	checksum uint32, little endian: CRC-32C of the body
//	body     kind byte, then the fields of the kind, integers as uvarints,
//	         strings as uvarint length and bytes
//
//	kind 1, put:     number, input, device, inode, file id, path, offset,
//	                 tail length, tail sum, prefix length, prefix sum, updated
//	kind 2, advance: number, offset, tail length, tail sum, prefix length,
//	                 prefix sum, updated
//	kind 3, remove:  number
//
// A record that is cut short or whose checksum is wrong ends the file: it and
// what follows are dropped when the registry is opened, which costs at most
// what was written since the last sync. When removed and outdated records
// prevail, the live ones are written to `log.new`, which then takes the name.
//
// # Identity
//
// An entry belongs to one incarnation of a file: device and inode (or the path,
// where an input says so), and a file id. The file id is made when the
// incarnation is first seen and is on disk before the first event of it is
// sent, so that an event which is sent again after a crash has the same
// identity. Sums of the file's first bytes and of the bytes before the offset
// tell whether the file still is what it was; if not, a new incarnation begins.
package registry
