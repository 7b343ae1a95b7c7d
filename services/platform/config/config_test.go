package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/weirflow/weirflow/services/platform/config"
	"github.com/weirflow/weirflow/services/platform/secret"
)

type sample struct {
	Name   string `yaml:"name"`
	Nested struct {
		Listen   string        `yaml:"listen"`
		Wait     time.Duration `yaml:"wait"`
		Password secret.String `yaml:"password"`
	} `yaml:"nested"`
	List []string          `yaml:"list"`
	On   bool              `yaml:"on_off"`
	Map  map[string]string `yaml:"map"`
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLaterSourcesWin(t *testing.T) {
	var c sample
	c.Name, c.Nested.Listen, c.Nested.Wait = "default", "default:1", time.Second
	fs := pflag.NewFlagSet("t", pflag.ContinueOnError)
	config.AddFlags(fs, &c)
	if err := fs.Parse([]string{"--nested.listen=flag:4", "--on-off"}); err != nil {
		t.Fatal(err)
	}
	err := config.Load(&c, config.Sources{
		Files: []string{
			file(t, "name: first\nnested: {wait: 2s, listen: 'file:2'}\nlist: [a]\nmap: {k: v}\n"),
			file(t, "name: second\n"), file(t, "\n"),
		},
		Environ: []string{"WEIRFLOW_NESTED_LISTEN=env:3", "WEIRFLOW_NESTED_WAIT=3s", "WEIRFLOW_LIST=x,y", "WEIRFLOW_NESTED_PASSWORD=p: #1", "OTHER=1"},
		Flags:   fs,
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "second" || c.Nested.Listen != "flag:4" || c.Nested.Wait != 3*time.Second || !c.On ||
		strings.Join(c.List, "+") != "x+y" || c.Map["k"] != "v" || c.Nested.Password.Reveal() != "p: #1" {
		t.Errorf("loaded %+v", c)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, x := range []struct {
		name, file, env string
		want            []string
	}{
		{"unknown key", "nested:\n  lisen: x\n", "", []string{"line 2", "column 3", `unknown key "lisen"`, `did you mean "listen"`}},
		{"wrong type", "nested:\n  wait: soon\n", "", []string{"c.yaml", "wait"}},
		{"broken YAML", "nested: [\n", "", []string{"c.yaml"}},
		{"environment", "", "WEIRFLOW_NESTED_WAIT=soon", []string{"WEIRFLOW_NESTED_WAIT", `"soon"`}},
	} {
		t.Run(x.name, func(t *testing.T) {
			var c sample
			err := config.Load(&c, config.Sources{Files: []string{file(t, x.file)}, Environ: []string{x.env}})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range x.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
	var c sample
	if err := config.Load(&c, config.Sources{Files: []string{"/nowhere/c.yaml"}}); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	var c, def sample
	c.Nested.Password = "hunter2"
	for name, f := range map[string]func() ([]byte, error){
		"render": func() ([]byte, error) { return config.Render(c) },
		"diff":   func() ([]byte, error) { return config.Diff(c, def) },
	} {
		b, err := f()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "hunter2") || !strings.Contains(string(b), secret.Mask) {
			t.Errorf("%s prints %s", name, b)
		}
	}
}

func TestDiffShowsOnlyWhatDiffers(t *testing.T) {
	var c, def sample
	c.Name = "mine"
	b, err := config.Diff(&c, &def)
	if err != nil || strings.Count(string(b), "\n") != 1 || !strings.HasPrefix(string(b), "name: mine") {
		t.Errorf("diff = %q, %v", b, err)
	}
}
