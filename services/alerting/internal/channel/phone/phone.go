// Package phone reads telephone numbers.
package phone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
)

const (
	// minDigits and maxDigits are what E.164 allows after the plus sign.
	minDigits, maxDigits = 6, 15
	// mobileDigits is the length of a Chinese mobile number.
	mobileDigits = 11
)

// Normal returns a number as E.164 writes it: +8613800138000. A Chinese mobile number
// may come without its country.
func Normal(text string) (string, error) {
	n := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimSpace(text))
	n, international := strings.CutPrefix(n, "+")
	if !international {
		n, international = strings.CutPrefix(n, "00")
	}
	digits := strings.IndexFunc(n, func(r rune) bool { return r < '0' || r > '9' }) < 0
	switch {
	case digits && international && len(n) >= minDigits && len(n) <= maxDigits && n[0] != '0':
		return "+" + n, nil
	case digits && !international && len(n) == mobileDigits && n[0] == '1':
		return "+86" + n, nil
	}
	return "", fmt.Errorf("%q is not a telephone number such as +8613800138000", text)
}

// Validate looks at the numbers that are not templates.
func Validate(key string, numbers []string) error {
	if len(numbers) == 0 {
		return fmt.Errorf("%s is required: a list of numbers such as +8613800138000", key)
	}
	for _, n := range numbers {
		if strings.Contains(n, "{{") {
			continue
		}
		if _, err := Normal(n); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// Render returns the numbers for alerts. An entry may be a template that gives
// several, parted by commas, or none. A number that is none is in the error; the
// others count all the same.
func Render(t *template.Template, data *template.Data, numbers []string) ([]string, error) {
	var all []string
	var bad error
	for _, entry := range numbers {
		var err error
		text := notify.TmplText(t, data, &err)(entry)
		if err != nil {
			bad = fmt.Errorf("render the number %q: %w", entry, err)
			continue
		}
		for part := range strings.SplitSeq(text, ",") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			n, err := Normal(part)
			if err != nil {
				bad = err
				continue
			}
			if !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all, bad
}
