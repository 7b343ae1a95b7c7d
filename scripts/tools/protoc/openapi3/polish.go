package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
)

// polish says what the generator can't know: how one logs in, which errors there are,
// and that streams may come as events.
func polish(doc *openapi3.T) error {
	if err := shorten(doc); err != nil {
		return err
	}
	doc.Info.License = &openapi3.License{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	doc.Components.SecuritySchemes = openapi3.SecuritySchemes{
		"token":    {Value: &openapi3.SecurityScheme{Type: "http", Scheme: "bearer", Description: "A token of a user (wf_…), or the configured one."}},
		"password": {Value: &openapi3.SecurityScheme{Type: "http", Scheme: "basic", Description: "A user's name and password."}},
		"session":  {Value: &openapi3.SecurityScheme{Type: "apiKey", In: "cookie", Name: "weirflow_session", Description: "Set by POST /api/v1/session. Changes need the header X-CSRF-Token with the word that GET /api/v1/session tells."}},
	}
	doc.Security = openapi3.SecurityRequirements{{"token": {}}, {"password": {}}, {"session": {}}, {}}
	doc.Components.Responses = openapi3.ResponseBodies{}
	for status, text := range wrongs() {
		doc.Components.Responses[status] = &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription(text).
			WithContent(openapi3.NewContentWithJSONSchemaRef(&openapi3.SchemaRef{Ref: "#/components/schemas/rpcStatus"}))}
	}
	marked := regexp.MustCompile(`^/api/v1/(jobs|dashboards|policies|templates|people|rotas)/\{[^}]*\}$`) // by gateway/internal/etag
	for path, item := range doc.Paths.Map() {
		if item.Get != nil && marked.MatchString(path) {
			item.Get.Responses.Set("304", &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription("It is still as the ETag in If-None-Match says.")})
		}
		for _, op := range item.Operations() {
			answers(op)
			if op.Summary == "" {
				op.Summary = words(op.OperationID)
			}
			if strings.HasSuffix(path, ":follow") || strings.HasSuffix(path, ":watch") || strings.HasSuffix(path, ":preview") {
				events(op)
			}
		}
	}
	return nil
}

// words makes a sentence of an operation's name: JobService_ListJobs is "List jobs".
func words(operation string) string {
	_, name, _ := strings.Cut(operation, "_")
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// shorten names the variables of paths by their last word, so that calls about one
// thing share a path: {dashboard.name} becomes {name}.
func shorten(doc *openapi3.T) error {
	variable := regexp.MustCompile(`\{(?:[^{}]*\.)?([^{}.]+)\}`)
	for path, item := range doc.Paths.Map() {
		short := variable.ReplaceAllString(path, "{$1}")
		if short == path {
			continue
		}
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				if p.Value != nil && p.Value.In == "path" {
					p.Value.Name = p.Value.Name[strings.LastIndexByte(p.Value.Name, '.')+1:]
				}
			}
			to := doc.Paths.Value(short)
			if to == nil {
				to = &openapi3.PathItem{}
				doc.Paths.Set(short, to)
			}
			if to.GetOperation(method) != nil {
				return fmt.Errorf("%s %s is there twice", method, short)
			}
			to.SetOperation(method, op)
		}
		doc.Paths.Delete(path)
	}
	return nil
}

// wrongs are the answers of calls that went wrong, by status.
func wrongs() map[string]string {
	return map[string]string{
		"400": "Something in the request is wrong; the message says what.", "401": "A login or token is missing, or not valid.", "403": "The role or the token's scopes do not allow it.",
		"404": "What the request names is not there.", "409": "It is there already, or was changed meanwhile.", "429": "Too many requests; Retry-After says when to try again.",
		"503": "A service behind the gateway does not answer, or is not ready yet.",
	}
}

// answers adds to a call those that went wrong.
func answers(op *openapi3.Operation) {
	for status := range wrongs() {
		if op.Responses.Value(status) == nil {
			op.Responses.Set(status, &openapi3.ResponseRef{Ref: "#/components/responses/" + status})
		}
	}
}

// events adds the form in which browsers take a stream.
func events(op *openapi3.Operation) {
	ok := op.Responses.Value("200")
	if ok == nil || ok.Value == nil {
		return
	}
	ok.Value.Content["text/event-stream"] = &openapi3.MediaType{Schema: &openapi3.SchemaRef{Value: &openapi3.Schema{Type: &openapi3.Types{"string"},
		Description: "Server-sent events: the data of each is what the field result of a line of application/json is; an event of the type error is the last."}}}
}
