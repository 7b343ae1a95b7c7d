package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/platform/secret"
)

func TestSecretDoesNotShowItself(t *testing.T) {
	s := secret.String("hunter2")
	j, err := json.Marshal(map[string]any{"p": s})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "p", s, "in", struct{ P secret.String }{s})
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "String": s.String(), "%#v": fmt.Sprintf("%#v", s), "%q": fmt.Sprintf("%q", s),
		"in a struct": fmt.Sprintf("%+v", struct{ P secret.String }{s}), "JSON": string(j), "log": log.String(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, secret.Mask) {
			t.Errorf("%s prints %s", name, text)
		}
	}
	if s.Reveal() != "hunter2" || secret.String("").String() != "" {
		t.Error("the secret itself is lost, or an empty one prints stars")
	}
}
