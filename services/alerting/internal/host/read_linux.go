package host

import (
	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// read asks the system.
func read(dir string) figures {
	var f figures
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil && st.Bsize > 0 {
		f.diskFree, f.diskSize = float64(st.Bavail)*float64(st.Bsize), float64(st.Blocks)*float64(st.Bsize)
	}
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return f
	}
	if m, err := fs.Meminfo(); err == nil && m.MemAvailableBytes != nil && m.MemTotalBytes != nil {
		f.memoryAvailable, f.memorySize = float64(*m.MemAvailableBytes), float64(*m.MemTotalBytes)
	}
	return f
}
