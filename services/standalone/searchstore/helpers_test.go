package searchstore_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore"
)

// open starts a store on a directory, without authentication.
func open(tb testing.TB, dir string) *searchstore.Service {
	tb.Helper()
	cfg := searchstore.DefaultConfig()
	cfg.DataDir = dir
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// call sends a request to a store and returns the status and the body.
func call(tb testing.TB, h http.Handler, method, path, body string) (int, string) {
	tb.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// must is call for requests that have to succeed.
func must(tb testing.TB, h http.Handler, method, path, body string) string {
	tb.Helper()
	code, out := call(tb, h, method, path, body)
	if code >= 300 {
		tb.Fatalf("%s %s: %d %.500s", method, path, code, out)
	}
	return out
}

// missionMapping is the index that the benchmarks fill.
const missionMapping = `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"id":{"type":"keyword"},"ip":{"type":"keyword"},"path":{"type":"keyword"},
"num":{"type":"long"},"message":{"type":"text"},"createTime":{"type":"date"}}}}`

// missionDoc is a document of about 300 bytes, as the main job writes them.
func missionDoc(dst []byte, i int, auto bool) []byte {
	users := [...]string{"root", "www", "kafka", "nobody", "mysql"}
	cmds := [...]string{"kworker/1:0H", "sshd: deploy@pts/0", "java -jar collector.jar", "python3 agent.py --verbose", "nginx: worker process", "kswapd0"}
	paths := [...]string{"/tmp/test.log", "/var/log/messages", "/var/log/nginx/access.log"}
	h := uint64(i+1) * 0x9E3779B97F4A7C15
	id := fmt.Sprintf("%016x%016x", h, h*0xBF58476D1CE4E5B9)
	if auto {
		dst = append(dst, "{\"index\":{}}\n"...)
	} else {
		dst = fmt.Appendf(dst, "{\"index\":{\"_id\":\"%s\"}}\n", id)
	}
	return fmt.Appendf(dst, "{\"id\":\"%s\",\"ip\":[\"172.27.0.%d\",\"fe80::5054:ff:fe12:%x\"],\"path\":\"%s\",\"num\":%d,\"message\":\"%d %s 20 0 %d %d %d S %d.%d %d.%d %d:%02d.%02d %s\",\"createTime\":\"2021-08-%02dT%02d:%02d:%02d.%03dZ\"}\n",
		id, 10+h>>40%9, 1+h>>40%9, paths[h>>33%3], 2449000+i, 1+h>>20%32000, users[h>>44%5], h>>22%9000000, h>>25%400000, h>>27%90000, h>>30%40, h>>36%10, h>>37%20, h>>41%10, h>>29%60, h>>31%60, h>>35%100, cmds[h>>48%6],
		1+i/86400000%28, i/3600000%24, i/60000%60, i/1000%60, i%1000)
}
