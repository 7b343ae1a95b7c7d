// Package host finds out what Filebeat tells of the machine in an event's host
// object.
package host

import (
	"bufio"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Facts are a machine's.
type Facts struct {
	Hostname      string
	Architecture  string
	ID            string
	Containerized bool
	OS            map[string]any
	IPs, MACs     []string
}

// Collect reads the facts off the machine; what can't be read is left out.
func Collect() Facts {
	f := Facts{Architecture: architecture(), ID: machineID(), Containerized: containerized(), OS: osFacts()}
	f.Hostname, _ = os.Hostname()
	f.IPs, f.MACs = addresses()
	return f
}

// Object is the host object of an event. The name is the agent's.
func (f Facts) Object(name string, network bool) map[string]any {
	o := map[string]any{
		"name": name, "hostname": f.Hostname, "architecture": f.Architecture,
		"containerized": f.Containerized, "os": f.OS,
	}
	if f.ID != "" {
		o["id"] = f.ID
	}
	if network {
		o["ip"], o["mac"] = list(f.IPs), list(f.MACs)
	}
	return o
}

func list(s []string) []any {
	out := make([]any, len(s))
	for i := range s {
		out[i] = s[i]
	}
	return out
}

func architecture() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		if m := unix.ByteSliceToString(u.Machine[:]); m != "" {
			return m
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func machineID() string {
	for _, name := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(name); err == nil && len(b) > 0 {
			return strings.TrimSpace(string(b))
		}
	}
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func containerized() bool {
	if _, err := os.Stat("/.dockerenv"); err == nil {
		return true
	}
	b, err := os.ReadFile("/proc/1/cgroup")
	if err != nil {
		return false
	}
	return strings.Contains(string(b), "docker") || strings.Contains(string(b), "kubepods") || strings.Contains(string(b), "lxc")
}

// osFacts reads os-release.
func osFacts() map[string]any {
	release := map[string]string{}
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if b, err := os.ReadFile(name); err == nil {
			release = parseRelease(string(b))
			break
		}
	}
	facts := map[string]any{"type": "linux", "kernel": kernel(), "platform": release["ID"], "family": family(release)}
	name, version := release["NAME"], release["VERSION"]
	facts["name"], facts["version"] = name, version
	codename := release["VERSION_CODENAME"]
	if _, after, ok := strings.Cut(version, "("); ok && codename == "" {
		codename = strings.TrimSuffix(after, ")")
	}
	if codename != "" {
		facts["codename"] = codename
	}
	for k, v := range facts {
		if v == "" {
			delete(facts, k)
		}
	}
	return facts
}

func parseRelease(text string) map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if k, v, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(k, "#") {
			out[k] = strings.Trim(v, `"'`)
		}
	}
	return out
}

func family(release map[string]string) string {
	for _, id := range append([]string{release["ID"]}, strings.Fields(release["ID_LIKE"])...) {
		switch id {
		case "debian", "ubuntu", "linuxmint":
			return "debian"
		case "rhel", "centos", "fedora", "rocky", "almalinux", "ol", "amzn", "redhat":
			return "redhat"
		case "suse", "opensuse", "sles", "opensuse-leap":
			return "suse"
		case "arch", "archarm", "antergos", "manjaro":
			return "arch"
		case "alpine", "gentoo", "slackware":
			return id
		}
	}
	return release["ID"]
}

// addresses lists those of the interfaces that are up, without loopback.
func addresses() (ips, macs []string) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, nil
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if mac := i.HardwareAddr.String(); mac != "" && !slices.Contains(macs, mac) {
			macs = append(macs, mac)
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				ips = append(ips, n.IP.String())
			}
		}
	}
	return ips, macs
}
