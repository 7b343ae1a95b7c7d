// Package tail finds files, follows them through rotation, truncation and
// replacement, and cuts them into lines.
//
// An Input scans its paths now and then and whenever the kernel says that
// something appeared or vanished. Each file that has something to read gets a
// harvester, a goroutine that reads chunks and hands lines to a Consumer, sleeps
// at the end of the file until it is woken or a timer says to look again, and
// ends when the file is closed by one of the close options.
//
// Whether a file still is what it was is checked with every read: each read
// takes up the last bytes of the one before again. If they differ, or the file
// ends before them, the file has been cut or written anew; it is read from its
// start as a new incarnation.
package tail
