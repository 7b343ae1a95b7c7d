package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
)

func (f *flags) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Is anything late, lost or failing: services, jobs and the ledger", Args: cobra.NoArgs,
		Long: "Show services, jobs and the account of every stage. The exit code is 1 when a service is not ready,\n" +
			"a job has failed, or an account does not balance.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var st statusv1.GetStatusResponse
			var book ledgerv1.GetLedgerResponse
			if err := f.get(cmd.Context(), path("status"), nil, &st); err != nil {
				return err
			}
			if err := f.get(cmd.Context(), path("ledger"), nil, &book); err != nil {
				return err
			}
			jobs, err := f.jobs(cmd.Context())
			if err != nil {
				return err
			}
			bad := wrong(&st, &book)
			for _, j := range jobs.GetJobs() {
				if j.GetStatus().GetError() != "" {
					bad = append(bad, fmt.Sprintf("job %s: %s: %s", j.GetName(), short(j.GetStatus().GetState(), "JOB_STATE_"), firstLine(j.GetStatus().GetError())))
				}
			}
			out := cmd.OutOrStdout()
			if f.output != "table" {
				err = f.printAll(out, map[string]proto.Message{"status": &st, "ledger": &book, "jobs": jobs})
			} else {
				err = f.showStatus(out, &st, &book)
			}
			if err == nil && len(bad) > 0 {
				err = errors.New(strings.Join(bad, "\n"))
			}
			return err
		},
	}
}

// wrong is what is not as it should be.
func wrong(st *statusv1.GetStatusResponse, book *ledgerv1.GetLedgerResponse) []string {
	var out []string
	for _, s := range st.GetServices() {
		for _, p := range s.GetParts() {
			if !p.GetReady() {
				out = append(out, fmt.Sprintf("%s: %s: %s", s.GetService(), p.GetName(), clean(p.GetReason())))
			}
		}
	}
	for _, s := range book.GetStages() {
		if s.GetIn() != s.GetOut()+s.GetFiltered()+s.GetDeadLettered()+s.GetInFlight() {
			out = append(out, fmt.Sprintf("the account of %s %s does not balance", s.GetService(), clean(s.GetName())))
		}
	}
	return out
}

func (f *flags) showStatus(out io.Writer, st *statusv1.GetStatusResponse, book *ledgerv1.GetLedgerResponse) error {
	t := newTable(out, "SERVICE", "INSTANCE", "VERSION", "READY", "UP SINCE")
	for _, s := range st.GetServices() {
		ready := "yes"
		if !s.GetReady() {
			ready = "no"
		}
		t.row(s.GetService(), s.GetInstance(), s.GetVersion(), ready, f.ago(s.GetStartedAt()))
	}
	if err := t.end(); err != nil {
		return err
	}
	if err := said(out, ""); err != nil {
		return err
	}
	t = newTable(out, "STAGE", "IN", "OUT", "FILTERED", "DEAD", "IN FLIGHT")
	for _, s := range book.GetStages() {
		t.row(s.GetService()+" "+s.GetName(), count(s.GetIn()), count(s.GetOut()), count(s.GetFiltered()), count(s.GetDeadLettered()), count(s.GetInFlight()))
	}
	return t.end()
}

// printAll writes several answers as one document.
func (f *flags) printAll(out io.Writer, all map[string]proto.Message) error {
	doc := make(map[string]json.RawMessage, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(all[k])
		if err != nil {
			return err
		}
		doc[k] = text
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return f.printJSON(out, text)
}
