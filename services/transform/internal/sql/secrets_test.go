package sql_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

const secretive = `-- 'connector.password' = 'old one',
CREATE TABLE a (x STRING) WITH ('connector'='kafka',  'properties.bootstrap.servers'='b:9092', -- keep
  'properties.sasl.jaas.config' = 'o.a.k.PlainLoginModule required username="u" password="jaas-inner";', 'properties.ssl.key.pem'='pe''m');
CREATE TABLE b (x STRING) WITH ('connector.hosts'='http://u:inurl@h:9200', 'connector.password'='p4ss''word',
  'connector.properties.0.key'='sasl.jaas.config', 'connector.properties.0.value'='numbered', 'index'='password');
SET 'my.api-key' = 'k1234';
SET store.token = plain text ;
INSERT INTO b SELECT x FROM a /*+ OPTIONS('properties.sasl.password'='hinted') */ WHERE x = 'password';
`

func TestRedact(t *testing.T) {
	got := sql.Redact(secretive)
	for _, secret := range []string{"old one", "jaas-inner", "pe''m", "inurl", "p4ss", "numbered", "k1234", "plain text", "hinted"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is shown:\n%s", secret, got)
		}
	}
	for _, kept := range []string{"'properties.bootstrap.servers'='b:9092', -- keep\n", "'index'='password'", "x = 'password';", "'properties.sasl.jaas.config' = '******'", "http://u:******@h:9200"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q is not as it was:\n%s", kept, got)
		}
	}
	if again := sql.Redact(got); again != got {
		t.Errorf("masked twice it is another text:\n%s", again)
	}
	const harmless = "CREATE TABLE t (a INT) WITH ('connector'='datagen');\n-- 中文\nINSERT INTO o SELECT 'x' FROM t"
	if got := sql.Redact(harmless); got != harmless {
		t.Errorf("text without secrets was changed to %s", got)
	}
	if got := sql.Redact("CREATE TABLE t WITH ('password'='x"); strings.Contains(got, "'x") {
		t.Errorf("text that cannot be scanned is shown: %s", got)
	}
}

func TestRestoreRoundTrip(t *testing.T) {
	shown := sql.Redact(secretive)
	got, err := sql.Restore(shown, secretive)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(secretive, "old one", "******", 1) // what is commented out is gone
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	edited := strings.Replace(shown, "x = 'password'", "x = 'other'", 1)
	if got, err = sql.Restore(edited, secretive); err != nil || !strings.Contains(got, "p4ss''word") || !strings.Contains(got, "x = 'other'") {
		t.Errorf("an edit elsewhere loses secrets: %v\n%s", err, got)
	}
}

func TestRestoreRefuses(t *testing.T) {
	shown := sql.Redact(secretive)
	for name, tt := range map[string]struct{ text, old, want string }{
		"no job":          {shown, "", "no job"},
		"another address": {strings.Replace(shown, "b:9092", "evil:9092", 1), secretive, "address"},
		"another host":    {strings.Replace(shown, "@h:9200", "@evil:9200", 1), secretive, "******"},
		"another table":   {strings.Replace(shown, "CREATE TABLE a", "CREATE TABLE c", 1), secretive, "no job"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sql.Restore(tt.text, tt.old)
			if err == nil && strings.Contains(got, "p4ss") && strings.Contains(got, "evil") {
				t.Fatalf("a secret goes where it was not written for:\n%s", got)
			}
			if tt.want != "******" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one about %s", err, tt.want)
			}
		})
	}
}

func TestHider(t *testing.T) {
	long := strings.Repeat("s3cret", 10)
	h := sql.NewHider("CREATE TABLE a (x INT) WITH ('password' 'forgotten', 'api-key'='"+long+"')"+secretive, map[string]string{"x.token": "settings"})
	for _, text := range []string{"expected = but found 'forgotten'", "found '" + long[:40] + "…'", `bad value "jaas-inner"`, "settings"} {
		if got := h.Hide(text); !strings.Contains(got, "******") || strings.Contains(got, "s3cret") {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// TestRestoreSettings: a password is given back for the address only that it was written for.
func TestRestoreSettings(t *testing.T) {
	const host, port, password = "metrics.reporter.promgateway.host", "metrics.reporter.promgateway.port", "metrics.reporter.promgateway.password"
	old := map[string]string{host: "10.0.0.1", port: "9091", password: "hush"}
	for name, c := range map[string]struct{ settings, want map[string]string }{
		"unchanged":        {map[string]string{host: "10.0.0.1", port: "9091", password: "******"}, old},
		"another interval": {map[string]string{host: "10.0.0.1", port: "9091", password: "******", "x": "y"}, map[string]string{host: "10.0.0.1", port: "9091", password: "hush", "x": "y"}},
		"another host":     {map[string]string{host: "10.6.6.6", port: "9091", password: "******"}, map[string]string{host: "10.6.6.6", port: "9091", password: "******"}},
		"another port":     {map[string]string{host: "10.0.0.1", port: "80", password: "******"}, map[string]string{host: "10.0.0.1", port: "80", password: "******"}},
		"an address of its own": {map[string]string{"metrics.reporter.promgateway.hostUrl": "http://10.6.6.6", host: "10.0.0.1", port: "9091", password: "******"},
			map[string]string{"metrics.reporter.promgateway.hostUrl": "http://10.6.6.6", host: "10.0.0.1", port: "9091", password: "******"}},
		"a new password": {map[string]string{host: "10.6.6.6", port: "9091", password: "new"}, map[string]string{host: "10.6.6.6", port: "9091", password: "new"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sql.RestoreSettings(c.settings, old); !maps.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	const script = "SET 'metrics.reporter.promgateway.host' = '10.0.0.1'; SET 'metrics.reporter.promgateway.password' = 'hush';"
	shown := sql.Redact(script)
	if strings.Contains(shown, "hush") {
		t.Fatalf("shown: %s", shown)
	}
	if back, err := sql.Restore(shown, script); err != nil || back != script {
		t.Errorf("%s, %v", back, err)
	}
	if _, err := sql.Restore(strings.Replace(shown, "10.0.0.1", "10.6.6.6", 1), script); err == nil {
		t.Error("the password goes to another host")
	}
}
