package wasm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

const sample = "../../../../deploy/samples/functions/mask.go"

// build compiles a program to a module in dir.
func build(t testing.TB, dir, source string) string {
	t.Helper()
	source, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "functions.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, source)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return out
}

func user(name string, returns types.Type, params ...types.Type) *plan.UserFunction {
	u := &plan.UserFunction{Path: "c.d." + name, Language: "WASM", Class: name, Using: []string{"functions.wasm"}, Returns: returns}
	for _, p := range params {
		u.Params = append(u.Params, types.Field{Name: "p", Type: p})
	}
	return u
}

func texts(values ...any) *column.Vector {
	v := column.New(types.StringType())
	for _, x := range values {
		v.Append(x)
	}
	return v
}

func values(v *column.Vector) []any {
	out := make([]any, v.Len)
	for i := range out {
		out[i] = v.Value(i)
	}
	return out
}

func TestModules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, dir, sample)
	text := types.StringType()
	fs := wasm.Library{Folder: dir}.Open()
	defer func() {
		if err := fs.Close(); err != nil {
			t.Error(err)
		}
	}()
	mask, err := fs.Function(user("mask", text, text))
	if err != nil {
		t.Fatal(err)
	}
	join, err := fs.Function(user("join", text, text, text))
	if err != nil {
		t.Fatal(err)
	}
	out := column.New(text)
	for range 3 { // memory is used again
		if err := mask.Call([]*column.Vector{texts("192.168.1.7", nil, "", "é")}, 4, out); err != nil {
			t.Fatal(err)
		}
		if got := values(out); !slices.Equal(got, []any{"192.168.x.x", nil, "", "é"}) {
			t.Errorf("mask gave %v", got)
		}
	}
	if err := join.Call([]*column.Vector{texts("a", "b"), texts("x", nil)}, 2, out); err != nil {
		t.Fatal(err)
	}
	if got := values(out); !slices.Equal(got, []any{"a-x", nil}) {
		t.Errorf("join gave %v", got)
	}
	number := column.New(types.Of(types.BigInt))
	number.Append(int64(1))
	if err := mask.Call([]*column.Vector{number}, 1, out); err == nil || !strings.Contains(err.Error(), "must be STRING") {
		t.Errorf("the module's own error: %v", err)
	}
}

func TestRefusedModules(t *testing.T) {
	t.Parallel()
	dir, text := t.TempDir(), types.StringType()
	build(t, dir, sample)
	if err := os.WriteFile(filepath.Join(dir, "broken.wasm"), []byte("no module"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret.wasm")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.wasm")); err != nil {
		t.Fatal(err)
	}
	at := func(file string) *plan.UserFunction {
		u := user("mask", text, text)
		u.Using[0] = file
		return u
	}
	java := user("mask", text, text)
	java.Language = "JAVA"
	tests := map[string]struct {
		library wasm.Library
		u       *plan.UserFunction
		says    string
	}{
		"switched off":      {wasm.Library{}, user("mask", text, text), "switched off: set transform.functions_folder"},
		"outside":           {wasm.Library{Folder: dir}, at(outside), "not in transform.functions_folder"},
		"link to outside":   {wasm.Library{Folder: dir}, at("link.wasm"), "not in transform.functions_folder"},
		"path to outside":   {wasm.Library{Folder: dir}, at("../functions.wasm"), "not in transform.functions_folder"},
		"no such export":    {wasm.Library{Folder: dir}, user("nothing", text, text), `does not export a function "nothing"`},
		"another signature": {wasm.Library{Folder: dir}, user("allocate", text, text), `"allocate" must have`},
		"no module":         {wasm.Library{Folder: dir}, at("broken.wasm"), `module "broken.wasm"`},
		"a type without a form": {wasm.Library{Folder: dir}, user("mask", text, types.ArrayOf(text)),
			"cannot be ARRAY<STRING>: use STRING"},
		"language": {wasm.Library{Folder: dir}, java, "functions in language JAVA cannot run here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := tt.library.Open()
			_, err := fs.Function(tt.u)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %q", err, tt.says)
			}
			if err := fs.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// BenchmarkCall compares a module with the built-in function of the same meaning.
func BenchmarkCall(b *testing.B) {
	const rows = 4096
	dir, text := b.TempDir(), types.StringType()
	build(b, dir, sample)
	fs := wasm.Library{Folder: dir}.Open()
	defer func() { _ = fs.Close() }()
	join, err := fs.Function(user("join", text, text, text))
	if err != nil {
		b.Fatal(err)
	}
	batch := &column.Batch{Len: rows, Cols: []*column.Vector{column.New(text), column.New(text)}}
	for range rows {
		batch.Cols[0].Append("a host name")
		batch.Cols[1].Append("a file name")
	}
	arg := func(i int) plan.Expr { return &plan.InputRef{Meta: plan.Meta{Typ: text}, Index: i} }
	concat, err := eval.Compile(&plan.Call{Meta: plan.Meta{Typ: text}, Function: "CONCAT", Args: []plan.Expr{arg(0),
		&plan.Literal{Meta: plan.Meta{Typ: text}, Value: "-"}, arg(1)}}, eval.Env{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	out := column.New(text)
	b.Run("module", func(b *testing.B) {
		for b.Loop() {
			if err := join.Call(batch.Cols, rows, out); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
	b.Run("built-in", func(b *testing.B) {
		for b.Loop() {
			if _, err := concat.Eval(batch); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
}
