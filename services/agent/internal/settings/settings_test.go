package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

const tailOfFile = "\noutput.console: {}\n"

func load(text string, env map[string]string, overrides ...string) (*settings.Config, error) {
	return settings.Load(settings.Options{
		Sources: []settings.Source{{Name: "f.yml", Text: []byte(text)}}, Overrides: overrides,
		Lookup: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
	})
}

// the mission's document shows these two pieces.
const fragment = `# 监控日志文件配置
- type: log
  enabled: true
  paths:
    - /tmp/test.log
    #- c:\programdata\elasticsearch\logs\*
# 监控数据输出项配置
output.kafka:
  version: 2.0.0                         # kafka版本号
  hosts: ["10.0.0.1:9092"]            # 请填写实际的IP地址+端口
  topic: 'topic-app-info'                  # 请填写实际的topic
`

func TestFragment(t *testing.T) {
	t.Parallel()
	c, err := load(fragment, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Inputs) != 1 || c.Output != "kafka" || c.OutputSection.String("topic") != "topic-app-info" {
		t.Errorf("got %+v", c)
	}
	if c.Processors == nil || c.Processors.Items[0].Get("add_host_metadata") == nil {
		t.Error("a fragment comes with Filebeat's default processor")
	}
	if got := c.OutputSection.Strings("hosts"); len(got) != 1 || got[0] != "10.0.0.1:9092" {
		t.Errorf("hosts %v", got)
	}
	// A fault in the second part has its own line.
	_, err = load(strings.Replace(fragment, "version:", "versoin:", 1), nil)
	if err == nil || !strings.Contains(err.Error(), `f.yml:9: unknown key "versoin" in output.kafka: did you mean "version"?`) {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const input = "filebeat.inputs:\n- type: log\n  paths: [/a]\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key of an input", "filebeat.inputs:\n- type: log\n  pathes: [/a]" + tailOfFile, `f.yml:3: unknown key "pathes" in filebeat.inputs.0: did you mean "paths"?`},
		{"right key, wrong input", "filebeat.inputs:\n- type: filestream\n  paths: [/a]\n  close_renamed: true" + tailOfFile, "close.on_state_change.renamed"},
		{"unknown global key", input + "taggs: [a]" + tailOfFile, `unknown key "taggs": did you mean "tags"?`},
		{"unknown input type", "filebeat.inputs:\n- type: filestraem\n  paths: [/a]" + tailOfFile, `did you mean "filestream"?`},
		{"no inputs", "output.console: {}", "no input is enabled"},
		{"no output", input, "no output is given"},
		{"two outputs", input + "output.console: {}\noutput.file: {path: /x}\n", "more than one output is enabled: [console file]"},
		{"foreign output", input + "output.elasticsearch: {hosts: [x]}\n", "output.elasticsearch is not supported"},
		{"unknown output", input + "output.kafak: {hosts: [x]}\n", `did you mean "kafka"?`},
		{"a tab", "filebeat.inputs:\n- type: log\n\tpaths: [/a]\n", "tab character"},
		{"broken YAML", "a: [1, 2\nb: 3\n", "f.yml"},
		{"a boolean key", input + "fields: {y: 1}" + tailOfFile, "write it in quotes"},
		{"a scalar for inputs", "filebeat.inputs: nothing" + tailOfFile, "should be a list"},
		{"a word for a duration", "filebeat.inputs:\n- paths: [/a]\n  close_inactive: soon" + tailOfFile, `"soon" is no duration`},
		{"a word for a number", "filebeat.inputs:\n- paths: [/a]\n  harvester_limit: many" + tailOfFile, "want a whole number"},
		{"negative size", "filebeat.inputs:\n- paths: [/a]\n  max_bytes: -1" + tailOfFile, "must not be negative"},
		{"bad pattern", "filebeat.inputs:\n- paths: [/a]\n  include_lines: ['(']" + tailOfFile, "missing closing )"},
		{"variable that is not set", "filebeat.inputs:\n- paths: ['${NOPE}']" + tailOfFile, "variable ${NOPE} is not set"},
		{"variables in a circle", "a: '${b}'\nb: '${a}'\n", "circle"},
		{"a list", "[1, 2]", "should be a mapping"},
		{"deep nesting", strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(c.text, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load("filebeat.inputs:\n- pathes: [/a]\n  tag: [x]\noutput.kafka: {host: [a]}\n", nil)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"pathes"`, `"tag"`, `"host"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %s is missing", err, want)
		}
	}
}

func TestVariablesAndOverrides(t *testing.T) {
	t.Parallel()
	text := "filebeat.inputs:\n- paths: '${PATHS}'\n  tags: ['${TAG:none}', 'a${TAG:-}b']\n  fields: {nn: '${N}', m: '${max_procs}'}\nmax_procs: 3\noutput.kafka: {hosts: '${HOSTS}', topic: t}\n"
	c, err := load(text, map[string]string{"PATHS": "/a,/b", "N": "42", "HOSTS": "x:1"}, "output.kafka.enabled=false", "output.console.pretty=true", "tags=[q]")
	if err != nil {
		t.Fatal(err)
	}
	s := settings.NewSection(c.Inputs[0], settings.LogOptions())
	if got := strings.Join(s.Strings("paths"), " "); got != "/a /b" {
		t.Errorf("paths %s", got)
	}
	if got := strings.Join(s.Strings("tags"), " "); got != "none a-b" {
		t.Errorf("tags %s", got)
	}
	if got := c.Inputs[0].Get("fields.nn").Value; got != int64(42) {
		t.Errorf("n is %T %v", got, got)
	}
	if got := c.Inputs[0].Get("fields.m").Value; got != int64(3) {
		t.Errorf("m is %T %v", got, got)
	}
	if c.Output != "console" || !c.OutputSection.Bool("pretty") || len(c.Tags) != 1 {
		t.Errorf("output %s, tags %v", c.Output, c.Tags)
	}
}

func TestIgnoredOnce(t *testing.T) {
	t.Parallel()
	c, err := load("filebeat.inputs:\n- paths: [/a]\nsetup.kibana.host: x\nlogging.level: debug\nqueue.mem.events: 5\noutput.kafka: {hosts: [a], topic: t, version: 2.0.0}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Ignored, " "); got != "logging output.kafka.version queue setup" {
		t.Errorf("ignored: %s", got)
	}
}

func TestExportHidesSecrets(t *testing.T) {
	t.Parallel()
	c, err := load("filebeat.inputs:\n- paths: [/a]\noutput.kafka: {hosts: [a], topic: t, username: u, password: hunter2, ssl.key_passphrase: hunter2}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Export()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "username: u") {
		t.Errorf("%s", text)
	}
}

func TestStrictPerms(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "f.yml")
	if err := os.WriteFile(name, []byte("filebeat.inputs:\n- paths: [/a]"+tailOfFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o666); err != nil {
		t.Fatal(err)
	}
	for strict, want := range map[bool]bool{true: true, false: false} {
		_, err := settings.Load(settings.Options{Sources: []settings.Source{{Name: name}}, StrictPerms: strict})
		if (err != nil) != want {
			t.Errorf("strict %v: %v", strict, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(fragment)
	f.Add("filebeat.inputs:\n- paths: ['${A:${B:c}}']\n  fields: {a.b: 1, a: {c: [x]}}" + tailOfFile)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load(text, nil)
		if err == nil && (len(c.Inputs) == 0 || c.Output == "") {
			t.Errorf("taken without inputs or output")
		}
	})
}
