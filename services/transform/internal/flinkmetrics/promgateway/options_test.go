package promgateway_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
)

// settings puts the prefix before the names of options.
func settings(pairs ...string) map[string]string {
	out := map[string]string{"metrics.reporters": "promgateway"}
	for i := 0; i+1 < len(pairs); i += 2 {
		out["metrics.reporter.promgateway."+pairs[i]] = pairs[i+1]
	}
	return out
}

func TestParse(t *testing.T) {
	base := func(change func(*promgateway.Options)) *promgateway.Options {
		o := &promgateway.Options{URL: "http://10.0.0.1:9091", Suffix: true, Delete: true, Grouping: map[string]string{}, Interval: 10 * time.Second, Filter: true}
		change(o)
		return o
	}
	for _, c := range []struct {
		name     string
		settings map[string]string
		want     *promgateway.Options
	}{
		{"nothing is wanted", map[string]string{"pipeline.max-parallelism": "2048"}, nil},
		{"options without the reporter", map[string]string{"metrics.reporter.promgateway.host": "h"}, nil},
		{"host and port", settings("host", "10.0.0.1", "port", "9091"), base(func(*promgateway.Options) {})},
		{"an address", settings("hostUrl", "https://gateway.example.com/path"), base(func(o *promgateway.Options) { o.URL = "https://gateway.example.com/path" })},
		{"all of them", settings("hostUrl", "http://10.0.0.1:9091", "jobName", "j", "randomJobNameSuffix", "FALSE", "deleteOnShutdown", "false", "groupingKey", "k1=v1; k2=v2",
			"username", "u", "interval", "30 SECONDS", "filterLabelValueCharacters", "false", "factory.class", "org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterFactory"),
			base(func(o *promgateway.Options) {
				o.JobName, o.Suffix, o.Delete, o.Filter, o.Username, o.Interval = "j", false, false, false, "u", 30*time.Second
				o.Grouping = map[string]string{"k1": "v1", "k2": "v2"}
			})},
		{"an address of the new kind", settings("host", "::1", "port", "9091"), base(func(o *promgateway.Options) { o.URL = "http://[::1]:9091" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := promgateway.Parse(c.settings)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
	for _, auth := range []string{"needBasicAuth", "basicAuth"} {
		o, err := promgateway.Parse(settings("host", "h", "port", "1", auth, "true", "password", "p"))
		if err != nil || !o.Auth {
			t.Errorf("%s: %+v, %v", auth, o, err)
		}
	}
}

func TestWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings map[string]string
		want     string
	}{
		{"no address", settings("host", "h"), "needs 'metrics.reporter.promgateway.host' and"},
		{"a slip of the pen", settings("hostt", "h", "port", "1"), `no option "hostt"; did you mean "host"?`},
		{"nothing like it", settings("x", "h", "port", "1"), `no option "x"; there are host, port`},
		{"needBasicAuth misspelt", settings("host", "h", "port", "1", "needBasicAut", "true"), `did you mean "needBasicAuth"?`},
		{"not a port", settings("host", "h", "port", "http"), `"http" is not a port`},
		{"not a truth", settings("host", "h", "port", "1", "needBasicAuth", "yes"), "neither true nor false"},
		{"not an interval", settings("host", "h", "port", "1", "interval", "10 parsecs"), "no unit of time"},
		{"too often", settings("host", "h", "port", "1", "interval", "10 ms"), "at least 1 s"},
		{"auth without a password", settings("host", "h", "port", "1", "needBasicAuth", "true"), "has no"},
		{"a label of the metrics", settings("host", "h", "port", "1", "groupingKey", "job_id=1"), "have a label"},
		{"no pair", settings("host", "h", "port", "1", "groupingKey", "a"), "not of the form"},
		{"a password in the address", settings("hostUrl", "http://u:hush@h:1"), "give them as username and password"},
		{"another scheme", settings("hostUrl", "ftp://h:1"), "must be like http://"},
		{"a host that is none", settings("host", "h/../x?", "port", "1"), "is not the name of a host"},
		{"another reporter", map[string]string{"metrics.reporters": "jmx"}, `no reporter "jmx"`},
		{"no name and no suffix", settings("host", "h", "port", "1", "randomJobNameSuffix", "false"), "jobName"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := promgateway.Parse(c.settings)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
	if err := promgateway.Masked(settings("password", "******")); err == nil {
		t.Error("stars are taken for a password")
	}
	if err := promgateway.Masked(settings("password", "p")); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("h", "9091", "a=b;c=d", "10 s")
	f.Add("", "-1", ";;=", "")
	f.Fuzz(func(t *testing.T, host, port, grouping, interval string) {
		o, err := promgateway.Parse(settings("host", host, "port", port, "groupingKey", grouping, "interval", interval))
		if err == nil && (o == nil || o.Interval < time.Second || !strings.HasPrefix(o.URL, "http://")) {
			t.Errorf("%+v", o)
		}
	})
}
