package alerting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

func TestWhatIsWrongWithACluster(t *testing.T) {
	whole := rpc.TLS{CertFile: "c", KeyFile: "k", CAFile: "a"}
	for name, tt := range map[string]struct {
		is   alerting.Cluster
		want string
	}{
		"none":        {alerting.Cluster{}, ""},
		"plain":       {alerting.Cluster{Listen: "127.0.0.1:9094", Wait: time.Second}, ""},
		"TLS":         {alerting.Cluster{Listen: "127.0.0.1:9094", Wait: time.Second, TLS: whole}, ""},
		"half a TLS":  {alerting.Cluster{Listen: "127.0.0.1:9094", Wait: time.Second, TLS: rpc.TLS{CertFile: "c", KeyFile: "k"}}, "ca_file"},
		"unreachable": {alerting.Cluster{Peers: []string{"127.0.0.1:9094"}}, "listen is empty"},
		"no wait":     {alerting.Cluster{Listen: "127.0.0.1:9094"}, "at least 1s"},
	} {
		if err := tt.is.Validate(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", name, err, tt.want)
		}
	}
}
