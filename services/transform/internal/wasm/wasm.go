// Package wasm runs users' functions that are WebAssembly modules. A module sees
// nothing but what it is called with: no files, no network, no environment. It is
// called once for a batch of rows; docs/functions.md describes the call.
package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Limits of a module.
const (
	memoryPages = 1024 // of 64 KiB
	maxModule   = 32 << 20
	callTime    = 10 * time.Second
)

// Library says which modules may be loaded.
type Library struct {
	// Folder holds the modules; a path outside it is refused. Empty allows none.
	Folder string
	// Anywhere allows every file that the process can read: for a user's own terminal.
	Anywhere bool
}

// Open returns functions that live until they are closed together.
func (l Library) Open() *Functions { return &Functions{library: l} }

// Functions are the modules of one run.
type Functions struct {
	library Library
	mu      sync.Mutex
	runtime wazero.Runtime
	modules map[string]wazero.CompiledModule
	end     func() error // ends the runtime; nil while there is none
}

// Close ends all modules.
func (f *Functions) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.end == nil {
		return nil
	}
	return f.end()
}

// Function returns a function that a module exports. Each has a module of its
// own, so that functions share no memory.
func (f *Functions) Function(u *plan.UserFunction) (eval.Native, error) {
	if u.Language != "WASM" {
		return nil, fmt.Errorf("functions in language %s cannot run here: there are SQL and WASM", u.Language)
	}
	if err := checkTypes(u); err != nil {
		return nil, err
	}
	if len(u.Using) != 1 {
		return nil, errors.New("a function in language WASM names one module: USING FILE 'file.wasm'")
	}
	path, err := f.library.resolve(u.Using[0])
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx := context.Background()
	compiled, err := f.compile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", u.Using[0], err)
	}
	if err := checkExports(compiled, u.Class); err != nil {
		return nil, fmt.Errorf("module %q: %w", u.Using[0], err)
	}
	m, err := f.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, fmt.Errorf("start module %q: %w", u.Using[0], err)
	}
	return &function{name: u.Class, module: m, call: m.ExportedFunction(u.Class), allocate: m.ExportedFunction("allocate")}, nil
}

// resolve returns the file that a statement names.
func (l Library) resolve(name string) (string, error) {
	name = strings.TrimPrefix(name, "file://")
	if l.Anywhere {
		return name, nil
	}
	if l.Folder == "" {
		return "", errors.New("functions in language WASM are switched off: set transform.functions_folder to the folder of the modules")
	}
	folder, err := filepath.EvalSymlinks(l.Folder)
	if err != nil {
		return "", fmt.Errorf("transform.functions_folder: %w", err)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(folder, name)
	}
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", errors.New("the module is not in transform.functions_folder")
	}
	if in, err := filepath.Rel(folder, path); err != nil || !filepath.IsLocal(in) {
		return "", errors.New("the module is not in transform.functions_folder")
	}
	return path, nil
}

// compile reads and compiles a module, once for each content.
func (f *Functions) compile(ctx context.Context, path string) (wazero.CompiledModule, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxModule {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", info.Size(), maxModule)
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if f.runtime == nil {
		f.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(true))
		f.modules = make(map[string]wazero.CompiledModule)
		f.end = func() error { return f.runtime.Close(ctx) }
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, f.runtime); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(code)
	key := hex.EncodeToString(sum[:])
	if m, ok := f.modules[key]; ok {
		return m, nil
	}
	m, err := f.runtime.CompileModule(ctx, code)
	if err == nil {
		f.modules[key] = m
	}
	return m, err
}

func checkExports(m wazero.CompiledModule, name string) error {
	i32, i64 := []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}
	for export, want := range map[string][2][]api.ValueType{"allocate": {i32, i32}, name: {append(i32, i32...), i64}} {
		f, ok := m.ExportedFunctions()[export]
		if !ok {
			return fmt.Errorf("it does not export a function %q", export)
		}
		if string(f.ParamTypes()) != string(want[0]) || string(f.ResultTypes()) != string(want[1]) {
			return fmt.Errorf("its function %q must have %d parameters of type i32 and one result", export, len(want[0]))
		}
	}
	if len(m.ExportedMemories()) == 0 {
		return errors.New("it does not export its memory")
	}
	return nil
}

// checkTypes refuses types that have no form in a call.
func checkTypes(u *plan.UserFunction) error {
	fields := append([]types.Field{{Name: "the result", Type: u.Returns}}, u.Params...)
	for _, f := range fields {
		if kindOf(f.Type) == 0 {
			return fmt.Errorf("%s of a function in language WASM cannot be %s: use STRING", f.Name, f.Type.OrNull())
		}
	}
	return nil
}

// function is a function of a module.
type function struct {
	name     string
	module   api.Module
	call     api.Function
	allocate api.Function
	request  []byte
}

// Call sets the n rows of out from those of the arguments.
func (f *function) Call(args []*column.Vector, n int, out *column.Vector) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	f.request = appendRequest(f.request[:0], args, n)
	at, err := f.allocate.Call(ctx, uint64(len(f.request)))
	if err != nil {
		return f.failed(ctx, err)
	}
	if !f.module.Memory().Write(uint32(at[0]), f.request) {
		return fmt.Errorf("function %s: its module has no room for %d bytes", f.name, len(f.request))
	}
	res, err := f.call.Call(ctx, at[0], uint64(len(f.request)))
	if err != nil {
		return f.failed(ctx, err)
	}
	answer, ok := f.module.Memory().Read(uint32(res[0]>>32), uint32(res[0]))
	if !ok {
		return fmt.Errorf("function %s: the module's answer is not in its memory", f.name)
	}
	if err := readAnswer(answer, n, out); err != nil {
		return fmt.Errorf("function %s: %w", f.name, err)
	}
	return nil
}

func (f *function) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("function %s did not answer within %s", f.name, callTime)
	}
	first, _, _ := strings.Cut(err.Error(), "\n") // behind it is a stack of the module
	return fmt.Errorf("function %s: %s", f.name, first)
}
