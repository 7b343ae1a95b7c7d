// Command openapi3 turns the OpenAPI 2 document that the generator writes into
// the OpenAPI 3 document that the gateway serves.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

func main() {
	if err := convert(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "openapi3:", err)
		os.Exit(1)
	}
}

func convert(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	var v2 openapi2.T
	if err := json.Unmarshal(b, &v2); err != nil {
		return fmt.Errorf("parse document: %w", err)
	}
	v3, err := openapi2conv.ToV3(&v2)
	if err != nil {
		return fmt.Errorf("convert document: %w", err)
	}
	v3.Info.Title, v3.Info.Version = "Weirflow", "v1"
	v3.Servers = openapi3.Servers{{URL: "/"}}
	if err := polish(v3); err != nil {
		return fmt.Errorf("polish document: %w", err)
	}
	if b, err = json.MarshalIndent(v3, "", "  "); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	return os.WriteFile(to, append(b, '\n'), 0o644)
}
