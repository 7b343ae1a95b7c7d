package sqltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Options are what to run and how to tell of it.
type Options struct {
	// Run selects tests by "file: name"; nil runs all.
	Run *regexp.Regexp
	// Verbose lists the tests that pass as well.
	Verbose bool
	// Update writes what came out into the files as what is expected.
	Update bool
	// Color marks differences in colour.
	Color bool
	// JUnit is a file for the results in the form of JUnit; empty for none.
	JUnit string
	Out   io.Writer
}

// ErrFailed says that tests have failed, which was told.
var ErrFailed = errors.New("tests have failed")

// Find lists the test files below folders, in the order of their names. A file is
// taken as it is.
func Find(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(d.Name(), Suffix) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no tests in %s: their names end in %s", strings.Join(paths, ", "), Suffix)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// RunAll runs the tests of all files and tells how they went.
func RunAll(paths []string, o Options) error {
	files, err := Find(paths)
	if err != nil {
		return err
	}
	rep := &report{o: o}
	for _, path := range files {
		f, err := Load(path)
		if err != nil {
			rep.broken(path, err)
			continue
		}
		if err := rep.file(f); err != nil {
			return err
		}
	}
	return rep.end()
}
