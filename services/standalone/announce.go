package standalone

import (
	"context"
	"fmt"
	"strings"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/version"
	"github.com/weirflow/weirflow/services/standalone/demo"
)

// addAnnouncement prints where everything is once all of it runs.
func (a *assembly) addAnnouncement() error {
	a.group.Add(lifecycle.Part{Name: "announcement", Runner: lifecycle.Func(func(ctx context.Context) error {
		if _, err := fmt.Fprint(a.out, a.announcement()); err != nil {
			a.tel.Logger.Debug("nobody reads standard output", "error", err)
		}
		<-ctx.Done()
		return nil
	})})
	return nil
}

// shell quotes a word for a POSIX shell where it needs to be.
func shell(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (a *assembly) announcement() string {
	var b strings.Builder
	p := a.places
	row := func(name, where, what string) { fmt.Fprintf(&b, "  %-9s %-28s %s\n", name, where, what) }
	kind := func(embedded bool) string {
		if embedded {
			return "embedded"
		}
		return "as configured"
	}
	fmt.Fprintf(&b, "\nWeirflow %s is running. Ctrl-C stops it.\n\n", version.String())
	row("Gateway", "http://"+p.gateway, "the console in a browser; REST API, /openapi.json")
	if p.grpc != "" {
		row("gRPC", p.grpc, "the same, for generated clients")
	}
	row("Ingest", p.ingest, "gRPC, for agents and SDK clients")
	row("Kafka", strings.Join(p.kafka.Brokers, ","), kind(p.kafkaEmbedded))
	row("Search", p.searchURL, kind(p.searchEmbedded)+", user "+p.searchUser)
	if p.alerting != "" {
		row("Metrics", "http://"+p.alerting, "Prometheus's API, and the Alertmanager's")
	}
	if p.admin != "" {
		row("Admin", "http://"+p.admin, "/metrics /ready /live /config")
	}
	row("Data", a.dir.path, "")
	kept := a.dir.in("search-password")
	user := shell(p.searchUser) + `:"$(cat ` + shell(kept) + `)"`
	switch {
	case p.passwordIsNew:
		user = shell(p.searchUser + ":" + p.searchPassword.Reveal())
		fmt.Fprintf(&b, "\nThe password of user %s is %s\nIt is shown this once, and kept in %s\n", p.searchUser, p.searchPassword.Reveal(), kept)
	case a.cfg.Search.Password != "":
		user = shell(p.searchUser) + ":…"
	case !p.searchEmbedded:
		user = ""
	}
	if user != "" {
		user = "-u " + user + " "
	}
	if a.demonstrates() {
		fmt.Fprintf(&b, `
The demonstration writes what top says to %s,
and the SQL job %q carries each line through topic %s into index %s:

  curl %s'%s/%s/_search?pretty' -H 'Content-Type: application/json' -d '{"query":{"match_all":{}},"size":10}'
  kcat -C -b %s -t %s -o beginning -e

Log files of your own: weirflow run -c filebeat.yml
http://%s/sources writes a filebeat.yml for a file that you name.

`, a.dir.in("demo", "top.log"), demo.Job, demo.Topic, demo.Index, user, p.searchURL, demo.Index, p.kafka.Brokers[0], demo.Topic, p.gateway)
	} else {
		b.WriteByte('\n')
	}
	return b.String()
}
