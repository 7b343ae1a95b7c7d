package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// wanted reads a folder. The kinds are those for which it has a folder or files: of
// others nothing is said.
func (f *flags) wanted(dir string) ([]*resource, []*kind, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, nil, err
	}
	files := []string{dir}
	if info.IsDir() {
		if files, err = filesOf(dir); err != nil {
			return nil, nil, err
		}
	}
	readers := []struct {
		kind   *kind
		folder string
		read   func(name, file, text string) (*resource, error)
	}{
		{f.topicKind(), "topics", f.topicOf},
		{f.jobKind(), "jobs", f.jobOf},
		{f.policyKind(), "policies", f.policyOf},
		{f.dashboardKind(), "dashboards", f.dashboardOf},
	}
	var all []*resource
	var kinds []*kind
	var faults []error
	taken := map[string]string{}
	for _, r := range readers {
		found := exists(filepath.Join(dir, r.folder))
		for _, file := range files {
			if folderOf(dir, file) != r.folder {
				continue
			}
			found = true
			x, err := load(file, r.read)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			if other := taken[x.kind+x.name]; other != "" {
				faults = append(faults, fmt.Errorf("%s: %s %s is in %s already", file, x.kind, x.name, other))
			}
			taken[x.kind+x.name] = file
			all = append(all, x)
		}
		if found {
			kinds = append(kinds, r.kind)
		}
	}
	if len(kinds) == 0 {
		faults = append(faults, fmt.Errorf("%s has none of topics/*.yaml, jobs/*.sql, policies/*.yaml, dashboards/*.yaml", dir))
	}
	return all, kinds, errors.Join(faults...)
}

func exists(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// filesOf lists the files below a folder, but those that are hidden.
func filesOf(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && slices.Contains([]string{".sql", ".yaml", ".yml", ".json"}, filepath.Ext(path)) && !strings.HasSuffix(path, ".test.yaml"):
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

// folderOf says of which kind a file is: by its folder, or by its ending.
func folderOf(dir, file string) string {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return ""
	}
	top, _, nested := strings.Cut(filepath.ToSlash(rel), "/")
	sql := filepath.Ext(file) == ".sql"
	switch {
	case nested && top == "jobs" && !sql:
		return ""
	case nested && slices.Contains([]string{"topics", "jobs", "policies", "dashboards"}, top):
		return top
	case sql:
		return "jobs"
	default:
		return ""
	}
}

func load(file string, read func(name, file, text string) (*resource, error)) (*resource, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return read(jobName(file), file, string(text))
}

// variable is ${NAME}, or $${ for the characters themselves.
func variables() *regexp.Regexp {
	return regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
}

// expand puts variables of the environment in; hide takes their values out of a text again.
func (f *flags) expand(file, text string) (out string, hide func(string) string, err error) {
	var faults []error
	var secrets []string
	re := variables()
	out = re.ReplaceAllStringFunc(text, func(m string) string {
		if m == "$${" {
			return "${"
		}
		name := m[2 : len(m)-1]
		value := f.env(name)
		if value == "" {
			before, _, _ := strings.Cut(text, m)
			line := 1 + strings.Count(before, "\n")
			faults = append(faults, fmt.Errorf("%s:%d: the variable %s is not set", file, line, name))
		}
		if len(value) > 3 { // shorter ones are no secrets, and would hide half the text
			secrets = append(secrets, value, strings.ReplaceAll(value, "'", "''"))
		}
		return value
	})
	return out, func(s string) string {
		for _, v := range secrets {
			s = strings.ReplaceAll(s, v, masked)
		}
		return s
	}, errors.Join(faults...)
}

// masked is what the server shows in the place of a secret.
const masked = "******"

// withoutSecrets hides the values of options that are secrets by their names, as the
// server does. What it hides beyond that is not known here.
func withoutSecrets(sql string) string {
	re := regexp.MustCompile(`(?i)('[^']*(?:password|secret|token|passphrase|sasl\.jaas\.config|api[-_.]?key|ssl\.key|credential)[^']*'\s*=\s*)'(?:[^']|'')*'`)
	return re.ReplaceAllString(sql, "${1}'"+masked+"'")
}
