package sink

import (
	"strings"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
)

// Store is the installation's own store, and its user there.
type Store struct {
	URL, Username, Password string
}

// credentials are the sink's, or those of the installation where the sink names none and
// writes to its store only.
func (o Store) credentials(s *indexv1.Sink) (user, password string) {
	if s.GetUsername() != "" || o.URL == "" || len(s.GetHosts()) == 0 {
		return s.GetUsername(), s.GetPassword()
	}
	for _, h := range s.GetHosts() {
		if address(h) != address(o.URL) {
			return "", ""
		}
	}
	return o.Username, o.Password
}

// address is a host as a URL without a slash at its end.
func address(host string) string {
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	return strings.TrimRight(host, "/")
}
