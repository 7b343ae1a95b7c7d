package job

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// MaxVersions is how many versions of a job are kept.
const MaxVersions = 50

// Versions returns how a job's statements were, the newest first.
func (m *Manager) Versions(name string) ([]*jobv1.JobVersion, error) {
	j, ok := m.jobs.Get(name)
	if !ok {
		return nil, fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	all := m.versionsOf(name)
	if len(all) == 0 { // the job is older than the keeping of versions
		all = append(all, versionOf(j, 1, j.GetCreatedAt()))
	}
	slices.Reverse(all)
	return all, nil
}

// versionsOf returns what is kept of a job, the oldest first.
func (m *Manager) versionsOf(name string) []*jobv1.JobVersion {
	var out []*jobv1.JobVersion
	for _, v := range m.versions.All() {
		if v.GetJob() == name {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *jobv1.JobVersion) int { return cmp.Compare(a.GetVersion(), b.GetVersion()) })
	return out
}

func versionOf(j *jobv1.Job, version int64, at *timestamppb.Timestamp) *jobv1.JobVersion {
	return &jobv1.JobVersion{Job: j.GetName(), Version: version, Sql: j.GetSql(), Parameters: j.GetParameters(), At: at}
}

func same(v *jobv1.JobVersion, j *jobv1.Job) bool {
	return v.GetSql() == j.GetSql() && maps.Equal(v.GetParameters(), j.GetParameters())
}

// remember keeps a job's new statements, and those that they replace if a crash came
// between a job's record and its version. The job is kept already: that its history
// has a gap is told, and no reason to refuse it.
func (m *Manager) remember(ctx context.Context, old, j *jobv1.Job) {
	kept := m.versionsOf(j.GetName())
	add := func(j *jobv1.Job, at *timestamppb.Timestamp) error {
		next := int64(1)
		if n := len(kept); n > 0 {
			if same(kept[n-1], j) {
				return nil
			}
			next = kept[n-1].GetVersion() + 1
		}
		v := versionOf(j, next, at)
		kept = append(kept, v)
		return m.versions.Put(ctx, versionKey(v), v)
	}
	var err error
	if old != nil {
		err = add(old, old.GetUpdatedAt())
	}
	if err == nil {
		err = add(j, j.GetUpdatedAt())
	}
	for err == nil && len(kept) > MaxVersions {
		err = m.versions.Delete(ctx, versionKey(kept[0]))
		kept = kept[1:]
	}
	if err != nil {
		m.d.Logger.Warn("the version of a job's statements was not kept", "job", j.GetName(), "error", err)
	}
}

func versionKey(v *jobv1.JobVersion) string { return fmt.Sprintf("%s/%d", v.GetJob(), v.GetVersion()) }

// forgetVersions drops the versions of a job that is deleted.
func (m *Manager) forgetVersions(ctx context.Context, name string) error {
	for _, v := range m.versionsOf(name) {
		if err := m.versions.Delete(ctx, versionKey(v)); err != nil {
			return err
		}
	}
	return nil
}
