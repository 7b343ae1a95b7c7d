package datum

import (
	"math"
	"testing"
)

// TestAppendDouble holds the digits against those that Java 17 prints.
func TestAppendDouble(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]float64{
		"0.002": 2e-3, "9.99E-4": 9.99e-4, "1.0E7": 1e7, "9999999.0": 9999999, "2.0E-44": 2e-44, "4.9E-324": math.SmallestNonzeroFloat64,
		"1.7976931348623157E308": math.MaxFloat64, "1.0E22": 1e22, "9.999999999999999E22": 1e23, "1.2700000000000001E22": 1.2700000000000001e22,
		"-0.0": math.Copysign(0, -1), "2.2250738585072014E-308": 2.2250738585072014e-308, "9.007199254740992E15": 9007199254740993, "-1234567.891": -1234567.891,
		"1.0E20": 1e20, "4.6116860184273879E18": 4611686018427387904, "-9.9999999999999987E17": -9.9999999999999987e17, "NaN": math.NaN(), "-Infinity": math.Inf(-1),
	} {
		if got := string(AppendDouble(nil, v, 64)); got != want {
			t.Errorf("DOUBLE %s, want %s", got, want)
		}
	}
	for want, v := range map[string]float32{
		"1.23456792E8": 123456789, "2.14748365E9": 2147483647, "8.9999995E9": 9e9, "1.50000005E10": 1.5e10, "3.4E38": 3.4e38, "1.0E-10": 1e-10,
		"0.1": 0.1, "1.4E-45": math.SmallestNonzeroFloat32, "123456.79": 123456.79, "-6.2135598E13": -62135596800000,
	} {
		if got := string(AppendDouble(nil, float64(v), 32)); got != want {
			t.Errorf("FLOAT %s, want %s", got, want)
		}
	}
}

func BenchmarkAppendDouble(b *testing.B) {
	buf := make([]byte, 0, 64)
	values := []float64{3.75, 0.1, 12345.678, 1e20, -2.5, 0.333333333}
	b.ReportAllocs()
	for i := range b.N {
		buf = AppendDouble(buf[:0], values[i%len(values)], 64)
	}
}
