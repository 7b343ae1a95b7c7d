package datum_test

import (
	"math"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestCalendarAgreesWithTime(t *testing.T) {
	for days := int64(-800_000); days < 800_000; days += 37 {
		y, m, d := datum.Civil(days)
		want := time.Unix(days*86400, 0).UTC()
		if y != want.Year() || m != int(want.Month()) || d != want.Day() || datum.Days(y, m, d) != days {
			t.Fatalf("day %d is %d-%d-%d, want %s", days, y, m, d, want.Format(time.DateOnly))
		}
	}
}

func TestDoublesAsJavaPrintsThem(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", 100: "100.0", 0.001: "0.001", 0.0001: "1.0E-4", 1e7: "1.0E7",
		9999999: "9999999.0", 1.5e300: "1.5E300", -2.5: "-2.5", math.Inf(1): "Infinity", math.MaxInt32: "2.147483647E9"} {
		if got := string(datum.AppendDouble(nil, v, 64)); got != want {
			t.Errorf("%v prints as %s, want %s", v, got, want)
		}
	}
	if got := string(datum.AppendDouble(nil, float64(float32(0.1)), 32)); got != "0.1" {
		t.Errorf("FLOAT 0.1 prints as %s", got)
	}
}

func TestParseDouble(t *testing.T) {
	for s, want := range map[string]float64{"1": 1, "\t1.5\n": 1.5, "-4.5e2": -450, "1d": 1, "2.5F": 2.5, "+3": 3, ".5": .5, "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)} {
		if got, err := datum.ParseDouble(s, 64); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", " ", "-", "inf", "nan", "1_0", "abc", "1..2", "d"} {
		if got, err := datum.ParseDouble(s, 64); err == nil {
			t.Errorf("%q is taken as %v", s, got)
		}
	}
}

func TestDecimals(t *testing.T) {
	for s, want := range map[string]string{"12.345": "12.35", "-0.005": "-0.01", "7": "7.00", "1e2": "100.00", "0.001": "0.00", "-12.3": "-12.30"} {
		v, scale, err := datum.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(datum.AppendDecimal(nil, datum.Rescale(v, scale, 2), 2)); got != want {
			t.Errorf("%s at two digits is %s, want %s", s, got, want)
		}
	}
	for _, s := range []string{"", "-", "1.2.3", "1e", "1e99999999999", "0x1", "1_0"} {
		if v, _, err := datum.ParseDecimal(s); err == nil {
			t.Errorf("%q is taken as %v", s, v)
		}
	}
}

func TestPatterns(t *testing.T) {
	at := types.TimestampValue{Millis: 1630318972888}
	for pattern, want := range map[string]string{"yyyy-MM-dd HH:mm:ss.SSS": "2021-08-30 10:22:52.888", "dd/MM/yy": "30/08/21", "yyyy-MM-dd'T'HH:mm'Z'": "2021-08-30T10:22Z",
		"MMM d, yyyy h:mm a": "Aug 30, 2021 10:22 AM", "EEE": "Mon", "''": "'", "D": "242"} {
		p, err := datum.NewPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.Append(nil, at, time.UTC)); got != want {
			t.Errorf("%s prints %s, want %s", pattern, got, want)
		}
	}
	p, err := datum.NewPattern("yyyyMMddHHmmssSSS")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := p.Parse("20210830102252888"); !ok || got != at {
		t.Errorf("read %v, %t", got, ok)
	}
	for _, s := range []string{"", "2021083010225288", "20211330102252888", "20210830102252888x"} {
		if got, ok := p.Parse(s); ok {
			t.Errorf("%q is taken as %v", s, got)
		}
	}
	if _, err := datum.NewPattern("yyyy-bb"); err == nil {
		t.Error("an unknown letter is taken")
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2021-08-30T10:22:52.888Z")
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		if p, err := datum.NewPattern(pattern); err == nil && len(pattern) < 100 {
			t, _ := p.Parse(text)
			_, _, _ = p.ParseLenient(text)
			_, _ = datum.CastDate(text)
			_, _ = datum.CastTime(text)
			_, _ = datum.CastTimestamp(text)
			_, _, _ = datum.CastDecimal(text, 10)
			_ = p.Append(nil, t, time.UTC)
		}
		_, _, _ = datum.ParseTimestamp(text, " T")
		_, _, _, _ = datum.ParseTime(text)
		_, _ = datum.ParseDouble(text, 64)
	})
}
