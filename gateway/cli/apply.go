package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// resource is something that files may describe: it is put on the server or taken from it.
type resource struct {
	kind, name string
	// text is how it is described, without secrets: what is compared and shown.
	text string
	// source is what is sent, file where it stands.
	source, file string
	// put makes the server's equal to it; nil where a change can't be made.
	put func(ctx context.Context) error
}

// kind is a kind of resource.
type kind struct {
	name string
	// live returns what the server has.
	live func(ctx context.Context) (map[string]string, error)
	// check looks at one that would be put; what it returns is shown.
	check func(ctx context.Context, r *resource, exists bool) (note string, err error)
	// remove deletes one; nil where files never delete.
	remove func(ctx context.Context, name string) error
}

// step is one thing to do.
type step struct {
	sign, kind, name, diff, note string
	do                           func(ctx context.Context) error
}

func (f *flags) applyCommand() *cobra.Command {
	var dir string
	var dryRun, yes, prune bool
	c := &cobra.Command{
		Use: "apply -f FOLDER", Short: "Make the server equal to files: show what differs, ask, and do it", Args: cobra.NoArgs,
		Long: "Make topics, jobs, policies and dashboards of the server equal to the files of a folder:\n\n" +
			"  topics/NAME.yaml      partitions, replicationFactor, config\n" +
			"  jobs/NAME.sql         statements (files *.sql beside the folders are jobs as well)\n" +
			"  policies/NAME.yaml    as weirflow policies get shows them\n" +
			"  dashboards/NAME.yaml  as weirflow dashboards are in the API\n\n" +
			"${NAME} stands for a variable of the environment, $${ for ${ itself. What differs is shown first, without\n" +
			"secrets. What the server has beyond the files is left alone unless --prune is given; topics always are.\n" +
			"A change of nothing but a secret can't be seen: weirflow jobs apply makes it.",
		Example: "  weirflow apply -f deploy/production --dry-run\n  weirflow apply -f deploy/production --yes --prune",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			wanted, kinds, err := f.wanted(dir)
			if err != nil {
				return err
			}
			steps, rest, err := compare(ctx, wanted, kinds, prune)
			if err != nil {
				return err
			}
			if err := showSteps(out, steps, rest); err != nil || dryRun || len(steps) == 0 {
				return err
			}
			if err := confirm(cmd, yes, "yes", "This changes the server."); err != nil {
				return err
			}
			return carryOut(ctx, out, steps)
		},
	}
	c.Flags().StringVarP(&dir, "filename", "f", "", "folder of files, or one file *.sql")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what differs and do nothing")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&prune, "prune", false, "delete what is not in the files, of the kinds that the folder has")
	_ = c.MarkFlagRequired("filename") // the flag is there
	return c
}

// compare says what is to be done, and what the server has beyond the files.
func compare(ctx context.Context, wanted []*resource, kinds []*kind, prune bool) (steps []step, rest []string, err error) {
	var faults []error
	var removals []step
	for _, k := range kinds {
		live, err := k.live(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range wanted {
			if r.kind != k.name {
				continue
			}
			old, exists := live[r.name]
			delete(live, r.name)
			if exists && lined(old) == lined(r.text) {
				continue
			}
			s := step{sign: "+", kind: r.kind, name: r.name, do: r.put, diff: unified("", r.kind+" "+r.name, "", r.text)}
			if exists {
				s.sign, s.diff = "~", unified(r.kind+" "+r.name+" (server)", r.kind+" "+r.name+" (file)", old, r.text)
			}
			if s.note, err = k.check(ctx, r, exists); err != nil {
				faults = append(faults, fmt.Errorf("%s %s: %w", r.kind, r.name, err))
			}
			steps = append(steps, s)
		}
		for _, name := range slices.Sorted(maps.Keys(live)) {
			if !prune || k.remove == nil {
				rest = append(rest, k.name+" "+name)
				continue
			}
			removals = append(removals, step{sign: "-", kind: k.name, name: name, do: func(ctx context.Context) error { return k.remove(ctx, name) }})
		}
	}
	slices.Reverse(removals) // what reads goes before what is read
	return append(steps, removals...), rest, errors.Join(faults...)
}

func showSteps(out io.Writer, steps []step, rest []string) error {
	for _, s := range steps {
		if err := said(out, "%s %s %s", s.sign, s.kind, s.name); err != nil {
			return err
		}
		if s.note != "" {
			_ = said(out, "    %s", strings.ReplaceAll(strings.TrimSpace(cleanLines(s.note)), "\n", "\n    ")) // the last write tells
		}
		if s.sign != "-" {
			for line := range strings.Lines(s.diff) {
				_ = said(out, "    %s", strings.TrimRight(line, "\n"))
			}
		}
	}
	if len(rest) > 0 {
		_ = said(out, "not in the files, and left alone: %s", strings.Join(rest, ", "))
	}
	if len(steps) == 0 {
		return said(out, "nothing differs")
	}
	n := map[string]int{}
	for _, s := range steps {
		n[s.sign]++
	}
	return said(out, "%d to make, %d to change, %d to delete", n["+"], n["~"], n["-"])
}

// carryOut does the steps in their order, and stops at the first that fails.
func carryOut(ctx context.Context, out io.Writer, steps []step) error {
	done := map[string]string{"+": "made", "~": "changed", "-": "deleted"}
	for i, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s %s: %w (%d of %d steps were done; apply goes on there)", s.kind, s.name, err, i, len(steps))
		}
		if err := said(out, "%s %s is %s", s.kind, s.name, done[s.sign]); err != nil {
			return err
		}
	}
	return nil
}
