package process

import (
	"crypto/md5"  //nolint:gosec // a fingerprint that users ask for
	"crypto/sha1" //nolint:gosec // a fingerprint that users ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// conversions are the processors that change what values are.
func conversions() map[string]kind {
	return map[string]kind{
		"convert": {options: append(moving(), settings.Option{Key: "mode", Type: settings.String, Default: "copy"}), required: []string{"fields"}, build: convert},
		"timestamp": {
			options: settings.Table{
				{Key: "field", Type: settings.String}, {Key: "target_field", Type: settings.String, Default: "@timestamp"}, {Key: "layouts", Type: settings.Strings},
				{Key: "timezone", Type: settings.String, Default: "UTC"}, {Key: "ignore_missing", Type: settings.Bool}, {Key: "ignore_failure", Type: settings.Bool}, {Key: "test", Type: settings.Strings},
			},
			required: []string{"field", "layouts"}, build: timestamp,
		},
		"fingerprint": {
			options: settings.Table{
				{Key: "fields", Type: settings.Strings}, {Key: "target_field", Type: settings.String, Default: "fingerprint"},
				{Key: "method", Type: settings.String, Default: "sha256"}, {Key: "encoding", Type: settings.String, Default: "hex"}, {Key: "ignore_missing", Type: settings.Bool},
			},
			required: []string{"fields"}, build: fingerprint,
		},
	}
}

func convert(b builder) (step, error) {
	list, err := pairs(b.node.Get("fields"), "from", "to", "type")
	if err != nil {
		return nil, err
	}
	to := map[*settings.Node]func(any) (any, error){}
	for _, p := range list {
		name, given := p.node.Get("type").Text()
		switch {
		case p.from == "":
			return nil, p.node.Errorf("from is missing")
		case !given && p.to == "":
			return nil, p.node.Errorf("each field needs a to or a type")
		case given:
			if to[p.node] = converter(strings.ToLower(name)); to[p.node] == nil {
				return nil, p.node.Errorf("invalid data type: %s; there are integer, long, float, double, string, boolean and ip", name)
			}
		}
	}
	mode := strings.ToLower(b.String("mode"))
	if mode != "copy" && mode != "rename" {
		return nil, fmt.Errorf("mode %q is neither copy nor rename", mode)
	}
	ignoreMissing, failOnError := b.Bool("ignore_missing"), b.Bool("fail_on_error")
	one := func(e *document.Event, p pair) error {
		v, err := e.Get(p.from)
		if err != nil {
			return err
		}
		if f := to[p.node]; f != nil {
			if v, err = f(v); err != nil {
				return err
			}
		} else {
			v = document.Clone(v)
		}
		if p.to == "" || p.to == p.from {
			return e.Put(p.from, v)
		}
		if mode == "rename" {
			if err := e.Delete(p.from); err != nil {
				return err
			}
		}
		return e.Put(p.to, v)
	}
	return func(e *document.Event) bool {
		changed := e.Clone()
		for _, p := range list {
			err := one(changed, p)
			missing := ignoreMissing && errors.Is(err, document.ErrNotFound)
			if err != nil && failOnError && !missing {
				return true // all or nothing
			}
		}
		*e = *changed
		return true
	}, nil
}

// converter makes values of a type; nil if there is no such type.
func converter(name string) func(any) (any, error) {
	switch name {
	case "integer":
		return func(v any) (any, error) { return toInt(v, 32) }
	case "long":
		return func(v any) (any, error) { return toInt(v, 64) }
	case "float", "double":
		bits := 64
		if name == "float" {
			bits = 32
		}
		return func(v any) (any, error) { return toFloat(v, bits) }
	case "string":
		return toText
	case "boolean":
		return func(v any) (any, error) {
			switch v := v.(type) {
			case bool:
				return v, nil
			case string:
				return strconv.ParseBool(v)
			}
			return nil, fmt.Errorf("can't make a boolean of %T", v)
		}
	case "ip":
		return func(v any) (any, error) {
			if s, ok := v.(string); ok && net.ParseIP(s) != nil {
				return s, nil
			}
			return nil, fmt.Errorf("%v is no IP address", v)
		}
	}
	return nil
}

func toInt(v any, bits int) (any, error) {
	switch v := v.(type) {
	case string:
		base, digits := 10, v
		if rest, ok := strings.CutPrefix(strings.ToLower(v), "0x"); ok {
			base, digits = 16, rest
		}
		return strconv.ParseInt(digits, base, bits)
	case int64:
		if bits == 32 && (v < math.MinInt32 || v > math.MaxInt32) {
			return nil, errors.New("out of range")
		}
		return v, nil
	case float64:
		if limit := math.Ldexp(1, bits-1); v < -limit || v >= limit || math.IsNaN(v) {
			return nil, errors.New("out of range")
		}
		return int64(v), nil
	}
	return nil, fmt.Errorf("can't make a number of %T", v)
}

func toFloat(v any, bits int) (any, error) {
	f, ok := 0.0, false
	switch v := v.(type) {
	case string:
		parsed, err := strconv.ParseFloat(v, bits)
		if err != nil {
			return nil, err
		}
		f, ok = parsed, true
	case int64:
		f, ok = float64(v), true
	case float64:
		f, ok = v, true
	}
	if !ok {
		return nil, fmt.Errorf("can't make a number of %T", v)
	}
	if bits == 32 {
		if math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return nil, errors.New("out of range")
		}
		return float32(f), nil
	}
	return f, nil
}

func toText(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64, bool:
		return fmt.Sprint(v), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case document.Map:
		return string(document.AppendValue(nil, v)), nil
	case []any:
		return fmt.Sprint(v), nil
	}
	return nil, fmt.Errorf("can't make a string of %T", v)
}

func timestamp(b builder) (step, error) {
	zone, err := location(b.String("timezone"))
	if err != nil {
		return nil, err
	}
	field, target, layouts := b.String("field"), b.String("target_field"), b.Strings("layouts")
	for _, sample := range b.Strings("test") {
		if _, err := parseTime(sample, layouts, zone); err != nil {
			return nil, fmt.Errorf("test %q: %w", sample, err)
		}
	}
	return func(e *document.Event) bool {
		v, err := e.Get(field)
		if err != nil {
			return true
		}
		if t, err := parseTime(v, layouts, zone); err == nil {
			if err := e.Put(target, t); err != nil {
				fail(e, err.Error())
			}
		}
		return true
	}, nil
}

func location(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("timezone %q: %w", name, err)
	}
	return zone, nil
}

func parseTime(v any, layouts []string, zone *time.Location) (time.Time, error) {
	for _, layout := range layouts {
		switch layout {
		case "UNIX", "UNIX_MS":
			if s, isText := v.(string); isText {
				if f, err := strconv.ParseFloat(s, 64); err == nil {
					v = f
				}
			}
			if f, ok := float(v); ok {
				if layout == "UNIX_MS" {
					return time.UnixMilli(int64(f)).UTC(), nil
				}
				return time.Unix(0, int64(f*float64(time.Second))).UTC(), nil
			}
		default:
			s, ok := v.(string)
			if !ok {
				continue
			}
			t, err := time.ParseInLocation(layout, s, zone)
			if err != nil {
				continue
			}
			if t.Year() == 0 {
				t = t.AddDate(time.Now().In(zone).Year(), 0, 0)
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%v has none of the layouts", v)
}

func fingerprint(b builder) (step, error) {
	fields := b.Strings("fields")
	slices.Sort(fields)
	fields = slices.Compact(fields)
	makeHash := map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
		"xxhash": func() hash.Hash { return xxhash.New() },
	}[strings.ToLower(b.String("method"))]
	if makeHash == nil {
		return nil, fmt.Errorf("invalid fingerprinting method %q: there are md5, sha1, sha256, sha384, sha512 and xxhash", b.String("method"))
	}
	encode := map[string]func([]byte) string{
		"hex": hex.EncodeToString, "base32": base32.StdEncoding.EncodeToString, "base64": base64.StdEncoding.EncodeToString,
	}[strings.ToLower(b.String("encoding"))]
	if encode == nil {
		return nil, fmt.Errorf("invalid encoding %q: there are hex, base32 and base64", b.String("encoding"))
	}
	target, ignoreMissing := b.String("target_field"), b.Bool("ignore_missing")
	return func(e *document.Event) bool {
		h := makeHash()
		for _, f := range fields {
			v, err := e.Get(f)
			if err != nil {
				if ignoreMissing {
					continue
				}
				return false // as Filebeat does
			}
			switch t := v.(type) {
			case nil, document.Map, []any, []string:
				return false
			case time.Time:
				v = t.UTC()
			}
			fmt.Fprintf(h, "|%v|%v", f, v)
		}
		_, _ = h.Write([]byte("|")) // never fails
		if err := e.Put(target, encode(h.Sum(nil))); err != nil {
			fail(e, err.Error())
		}
		return true
	}, nil
}
