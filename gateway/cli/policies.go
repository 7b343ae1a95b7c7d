package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

func (f *flags) policiesCommand() *cobra.Command {
	c := &cobra.Command{Use: "policies", Aliases: []string{"policy"}, Short: "Alert policies: list, get, apply, delete"}
	c.AddCommand(f.policiesList(), f.policiesGet(), f.policiesApply(), f.policiesDelete())
	return c
}

func (f *flags) policies(ctx context.Context) (*alertv1.ListPoliciesResponse, error) {
	res := &alertv1.ListPoliciesResponse{}
	return res, f.get(ctx, path("policies"), nil, res)
}

func (f *flags) policyNames() cobra.CompletionFunc {
	return f.names(func(ctx context.Context) ([]string, error) {
		res, err := f.policies(ctx)
		var out []string
		for _, p := range res.GetPolicies() {
			out = append(out, p.GetName())
		}
		return out, err
	})
}

func (f *flags) policiesList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List policies", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			res, err := f.policies(cmd.Context())
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), res, func(out io.Writer) error {
				t := newTable(out, "NAME", "CONDITION", "SEVERITY", "FOR", "ON", "CHANGED")
				for _, p := range res.GetPolicies() {
					on := "yes"
					if p.GetDisabled() {
						on = "no"
					}
					t.row(p.GetName(), condition(p), p.GetSeverity(), brief(p.GetFor().AsDuration()), on, f.ago(p.GetUpdatedAt()))
				}
				return t.end()
			})
		},
	}
}

// condition is the name of a policy's form.
func condition(p *alertv1.Policy) string {
	m := p.ProtoReflect()
	if d := m.WhichOneof(m.Descriptor().Oneofs().ByName("condition")); d != nil {
		return string(d.Name())
	}
	return "-"
}

func (f *flags) policiesGet() *cobra.Command {
	return &cobra.Command{
		Use: "get NAME", Short: "Show a policy, as apply takes it", Args: cobra.ExactArgs(1), ValidArgsFunction: f.policyNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res alertv1.GetPolicyResponse
			if err := f.get(cmd.Context(), path("policies", args[0]), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				text, err := asYAML(policySpec(res.GetPolicy()))
				if err != nil {
					return err
				}
				return said(out, "%s# %s", text, clean(res.GetExpr()))
			})
		},
	}
}

// policySpec is a policy without what the server adds.
func policySpec(p *alertv1.Policy) *alertv1.Policy {
	c, _ := proto.Clone(p).(*alertv1.Policy)
	c.UpdatedAt = nil
	return c
}

func asYAML(m proto.Message) (string, error) {
	text, err := protojson.Marshal(m)
	if err != nil {
		return "", err
	}
	out, err := yaml.JSONToYAML(text)
	return string(out), err
}

// fromYAML reads a message of the API; unknown fields are errors.
func fromYAML(name string, text []byte, m proto.Message) error {
	js, err := yaml.YAMLToJSON(text)
	if err == nil {
		err = protojson.Unmarshal(js, m)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (f *flags) policiesApply() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "apply -f FILE", Short: "Make or change a policy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			p := &alertv1.Policy{}
			if err := fromYAML(file, text, p); err != nil {
				return err
			}
			if p.GetName() == "" {
				p.Name = jobName(file)
			}
			var res alertv1.PutPolicyResponse
			if err := f.call(cmd.Context(), http.MethodPut, path("policies", p.GetName()), nil, p, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "policy %s watches %s", p.GetName(), clean(res.GetExpr())) })
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "YAML file of the policy")
	_ = c.MarkFlagRequired("file") // the flag is there
	return c
}

func (f *flags) policiesDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete a policy", Args: cobra.ExactArgs(1), ValidArgsFunction: f.policyNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.call(cmd.Context(), http.MethodDelete, path("policies", args[0]), nil, nil, nil); err != nil {
				return err
			}
			return said(cmd.OutOrStdout(), "policy %s is deleted", args[0])
		},
	}
}
