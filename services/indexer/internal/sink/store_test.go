package sink

import (
	"testing"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
)

// The installation's password goes to its own store only.
func TestCredentials(t *testing.T) {
	own := Store{URL: "http://search:9200/", Username: "elastic", Password: "s3cret"}
	for name, tt := range map[string]struct {
		own      Store
		hosts    []string
		user     string
		wantUser string
		wantPass string
	}{
		"own store":            {own, []string{"http://search:9200"}, "", "elastic", "s3cret"},
		"own store, no scheme": {own, []string{"search:9200"}, "", "elastic", "s3cret"},
		"user of its own":      {own, []string{"http://search:9200"}, "jobs", "jobs", "p"},
		"elsewhere":            {own, []string{"http://other:9200"}, "", "", ""},
		"also elsewhere":       {own, []string{"http://search:9200", "http://other:9200"}, "", "", ""},
		"begins alike":         {own, []string{"http://search:9200.example.com"}, "", "", ""},
		"by TLS":               {own, []string{"https://search:9200"}, "", "", ""},
		"none known":           {Store{Username: "elastic", Password: "s3cret"}, []string{"http://search:9200"}, "", "", ""},
		"no hosts":             {own, nil, "", "", ""},
	} {
		s := &indexv1.Sink{Hosts: tt.hosts, Username: tt.user}
		if tt.user != "" {
			s.Password = "p"
		}
		if user, pass := tt.own.credentials(s); user != tt.wantUser || pass != tt.wantPass {
			t.Errorf("%s: %q %q", name, user, pass)
		}
	}
}
