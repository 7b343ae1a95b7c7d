// Package promgateway pushes the metrics of a job to a Pushgateway, as the settings of
// Flink's reporter of that name say.
package promgateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

const (
	// reporters is the setting that names the reporters of a job.
	reporters = "metrics.reporters"
	// Name is what a job calls this reporter.
	Name = "promgateway"
	// prefix begins its settings.
	prefix = "metrics.reporter." + Name + "."
	// masked is what settings show instead of a password.
	masked = "******"
)

// known are the settings; those without a meaning here are for Flink.
func known() []string {
	return []string{"host", "port", "hostUrl", "jobName", "randomJobNameSuffix", "deleteOnShutdown", "groupingKey", "needBasicAuth", "basicAuth", "username", "password",
		"interval", "filterLabelValueCharacters", "class", "factory.class", "scope.delimiter"}
}

// ownLabels are those of the metrics, which a grouping key cannot have.
func ownLabels() []string {
	return []string{"job", "host", "tm_id", "job_id", "job_name", "task_id", "task_name", "task_attempt_id", "task_attempt_num", "subtask_index", "operator_id",
		"operator_name", "topic", "partition"}
}

var (
	labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	odd       = regexp.MustCompile(`[^a-zA-Z0-9:_]`)
)

// Options are the settings of a job's reporter.
type Options struct {
	// URL is where the Pushgateway is.
	URL string
	// JobName is the label job of what is pushed; Suffix adds something to it that no
	// other has.
	JobName string
	Suffix  bool
	// Delete removes what was pushed when the job ends.
	Delete bool
	// Grouping are further labels.
	Grouping map[string]string
	// Auth sends the name and the password.
	Auth               bool
	Username, password string
	// Interval is how often metrics are pushed.
	Interval time.Duration
	// Filter takes all but letters, digits, ':' and '_' out of the values of labels.
	Filter bool
}

// Check says what is wrong with one setting; those of others may be any.
func Check(key, value string) error {
	if key == reporters {
		for _, name := range names(value) {
			if name != Name {
				return fmt.Errorf("there is no reporter %q: a job's metrics can be pushed by %q; all of them are on the metrics port in any case", name, Name)
			}
		}
		return nil
	}
	option, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return nil
	}
	switch option {
	case "host":
		if strings.ContainsAny(value, "/?#@ ") {
			return fmt.Errorf("%q is not the name of a host; an address like http://host:9091 is the option hostUrl", value)
		}
	case "port":
		if n, err := strconv.Atoi(value); err != nil || n < -1 || n > 65535 {
			return fmt.Errorf("%q is not a port", value)
		}
	case "interval":
		d, err := connector.ParseDuration(value)
		if err == nil && d < time.Second {
			err = errors.New("the interval must be at least 1 s")
		}
		return err
	case "randomJobNameSuffix", "deleteOnShutdown", "needBasicAuth", "basicAuth", "filterLabelValueCharacters":
		if _, err := truth(value); err != nil {
			return err
		}
	case "hostUrl":
		return checkURL(value)
	case "groupingKey":
		_, err := grouping(value)
		return err
	default:
		if !slices.Contains(known(), option) {
			hint := suggest.Hint(option, known())
			if hint == "" {
				hint = "; there are " + strings.Join(known(), ", ")
			}
			return fmt.Errorf("the reporter has no option %q%s", option, hint)
		}
	}
	return nil
}

func names(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
}

func truth(value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", value)
}

func checkURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the address must be like http://host:9091")
	}
	if u.User != nil {
		return errors.New("the address holds a name or a password; give them as username and password, with needBasicAuth")
	}
	return nil
}

// grouping reads k1=v1;k2=v2.
func grouping(value string) (map[string]string, error) {
	out := make(map[string]string)
	for pair := range strings.SplitSeq(value, ";") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		k, v, ok := strings.Cut(pair, "=")
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		switch {
		case !ok || v == "":
			return nil, fmt.Errorf("%q is not of the form k1=v1;k2=v2", value)
		case !labelName.MatchString(k):
			return nil, fmt.Errorf("%q is not the name of a label", k)
		case slices.Contains(ownLabels(), k):
			return nil, fmt.Errorf("the metrics have a label %q of their own", k)
		}
		out[k] = v
	}
	return out, nil
}

// Parse returns the options of a job; nil if it wants nothing pushed.
func Parse(settings map[string]string) (*Options, error) {
	for key, value := range settings {
		if err := Check(key, value); err != nil {
			return nil, fmt.Errorf("the setting '%s': %w", key, err)
		}
	}
	if !slices.Contains(names(settings[reporters]), Name) {
		return nil, nil
	}
	get := func(name, otherwise string) string {
		if v, ok := settings[prefix+name]; ok {
			return strings.TrimSpace(v)
		}
		return otherwise
	}
	is := func(name, otherwise string) bool {
		v, _ := truth(get(name, otherwise)) // Check has read it
		return v
	}
	o := &Options{URL: get("hostUrl", ""), JobName: get("jobName", ""), Suffix: is("randomJobNameSuffix", "true"), Delete: is("deleteOnShutdown", "true"),
		Auth: is("needBasicAuth", "false") || is("basicAuth", "false"), Username: get("username", ""), password: settings[prefix+"password"],
		Filter: is("filterLabelValueCharacters", "true"), Interval: 10 * time.Second}
	o.Grouping, _ = grouping(get("groupingKey", ""))
	if d, err := connector.ParseDuration(get("interval", "10 s")); err == nil && d > 0 {
		o.Interval = d
	}
	host, port := get("host", ""), get("port", "-1")
	switch {
	case o.URL != "":
	case host == "" || port == "-1":
		return nil, fmt.Errorf("the reporter '%s' needs '%shost' and '%sport', or '%shostUrl'", Name, prefix, prefix, prefix)
	default:
		o.URL = "http://" + net.JoinHostPort(host, port)
		if err := checkURL(o.URL); err != nil {
			return nil, fmt.Errorf("the setting '%shost': %w", prefix, err)
		}
	}
	if o.JobName == "" && !o.Suffix {
		return nil, fmt.Errorf("the reporter '%s' needs '%sjobName' where '%srandomJobNameSuffix' is false", Name, prefix, prefix)
	}
	if o.Auth && o.password == "" {
		return nil, fmt.Errorf("the reporter '%s' has no '%spassword', which '%sneedBasicAuth' asks for", Name, prefix, prefix)
	}
	return o, nil
}

// Masked says that a password is still the stars that are shown for it.
func Masked(settings map[string]string) error {
	if settings[prefix+"password"] != masked {
		return nil
	}
	return fmt.Errorf("the setting '%spassword' is masked, and there is no job with the same address that it could be taken from; write the password", prefix)
}

// Strip takes out of a label's value what Flink leaves out of it.
func Strip(value string) string { return odd.ReplaceAllString(value, "") }
