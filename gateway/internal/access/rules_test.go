package access

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/metric/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	_ "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

// calls are all calls of all services that there are, by their full names.
func calls() map[string]bool {
	out := map[string]bool{}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				if strings.HasPrefix(string(s.FullName()), "weirflow.") {
					out["/"+string(s.FullName())+"/"+string(s.Methods().Get(j).Name())] = true
				}
			}
		}
		return true
	})
	return out
}

func TestEveryCallHasARule(t *testing.T) {
	all, table := calls(), rules()
	if len(all) < 70 {
		t.Fatalf("only %d calls are known", len(all))
	}
	for call := range all {
		if _, ok := table[call]; !ok {
			t.Errorf("no rule says who may call %s", call)
		}
	}
	for call := range table {
		if !all[call] && call != SearchPassthrough {
			t.Errorf("there is a rule for %s, and no such call", call)
		}
	}
	doc, err := os.ReadFile("../../routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := readRoutes(doc)
	if err != nil {
		t.Fatal(err)
	}
	for path, call := range paths {
		if _, ok := table[call]; !ok {
			t.Errorf("%s leads to %s, for which there is no rule", path, call)
		}
	}
}

// What changes something is written down, and is not for viewers, but for their own.
func TestRulesAreStrict(t *testing.T) {
	public := map[string]bool{"GetSession": true, "CreateSession": true, "DeleteSession": true}
	own := map[string]bool{"CreateToken": true, "DeleteToken": true, "ChangePassword": true, "Preview": true}
	for call, r := range rules() {
		method := call[strings.LastIndexByte(call, '/')+1:]
		if (r.role == anybody) != public[method] {
			t.Errorf("%s is for role %v", call, r.role)
		}
		if r.audited && r.role < operator && !own[method] && !public[method] {
			t.Errorf("%s changes something and is for %v", call, r.role)
		}
		for _, prefix := range []string{"Create", "Update", "Delete", "Put", "Start", "Stop", "Replay", "Discard", "Acknowledge", "Assign", "Comment", "Expire", "Add", "Change"} {
			if strings.HasPrefix(method, prefix) && !r.audited {
				t.Errorf("%s is not written down", call)
			}
		}
	}
}
