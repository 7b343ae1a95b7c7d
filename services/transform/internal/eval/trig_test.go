package eval

import (
	"math"
	"testing"
)

func TestInverseFunctionsAreWithinAnUlpOfTheTrueValue(t *testing.T) {
	near := func(name string, x, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 4e-16*math.Max(1, math.Abs(want)) {
			t.Errorf("%s(%v) = %v, want %v", name, x, got, want)
		}
	}
	for i := -1000; i <= 1000; i++ {
		x := float64(i) / 1000
		near("asin", x, javaAsin(x), math.Asin(x))
		near("cos of acos", x, math.Cos(javaAcos(x)), x)
		near("atan", 7*x, javaAtan(7*x), math.Atan(7*x))
		near("atan2", x, javaAtan2(x, -0.3), math.Atan2(x, -0.3))
	}
	if got := javaAtan2(3.75, 1); got != 1.3101939350475558 {
		t.Errorf("atan2(3.75, 1) = %v, Java has 1.3101939350475558", got)
	}
}
