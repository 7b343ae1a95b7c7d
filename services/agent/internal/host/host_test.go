package host_test

import (
	"os"
	"testing"

	"github.com/weirflow/weirflow/services/agent/internal/host"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	f := host.Collect()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if f.Hostname != name || f.Architecture == "" || f.ID == "" || f.OS["type"] != "linux" || f.OS["kernel"] == nil {
		t.Errorf("got %+v", f)
	}
	with, without := f.Object("n", true), f.Object("n", false)
	if with["name"] != "n" || with["ip"] == nil || without["ip"] != nil || without["mac"] != nil {
		t.Errorf("got %v and %v", with, without)
	}
}
