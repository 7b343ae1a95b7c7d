package eval

import (
	"math"
	"testing"
)

// TestPrecise holds the functions against what Java 17 gives.
func TestPrecise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want float64 }{
		"log10(0.1)": {preciseLog10(0.1), -1}, "ln(0.01)": {preciseLog(0.01), -4.605170185988091}, "exp(1.5)": {preciseExp(1.5), 4.4816890703380645},
		"sin(2)": {preciseSin(2), 0.9092974268256817}, "cos(3.75)": {preciseCos(3.75), -0.8205593573395608}, "tan(1)": {preciseTan(1), 1.5574077246549023},
		"sin(1e20)": {preciseSin(1e20), math.Sin(1e20)}, "cos(1e20)": {preciseCos(1e20), 0.7639704044417283}, "tan(-1e300)": {preciseTan(-1e300), math.Tan(-1e300)},
		"pow(1e-10,-2)": {precisePow(1e-10, -2), 1e20}, "pow(100,100)": {precisePow(100, 100), 1e200}, "pow(-2,3)": {precisePow(-2, 3), -8}, "pow(10,2)": {precisePow(10, 2), 100},
		"pow(1e308,1e308)": {precisePow(1e308, 1e308), math.Inf(1)}, "pow(2,-1074)": {precisePow(2, -1074), math.SmallestNonzeroFloat64}, "sqrt(-0)": {precisePow(math.Copysign(0, -1), 0.5), 0},
		"cosh(1)": {javaCosh(1), 1.543080634815244}, "sinh(0.1)": {javaSinh(0.1), 0.10016675001984403}, "tanh(0.1)": {javaTanh(0.1), 0.09966799462495582},
		"sinh(1000)": {javaSinh(1000), math.Inf(1)}, "exp(-1000)": {preciseExp(-1000), 0}, "exp(1000)": {preciseExp(1000), math.Inf(1)},
	} {
		if math.Float64bits(c.got) != math.Float64bits(c.want) {
			// Go's own sine of far angles is right to a unit of the last place only.
			if math.Abs(c.got-c.want) > math.Abs(c.want)*3e-16 || math.IsInf(c.got, 0) {
				t.Errorf("%s is %v, want %v", name, c.got, c.want)
			}
		}
	}
	for name, v := range map[string]float64{"ln(-1)": preciseLog(-1), "log10(-1)": preciseLog10(-1), "pow(-1,0.5)": precisePow(-1, 0.5), "sin(Inf)": preciseSin(math.Inf(1)), "pow(1,NaN)": precisePow(1, math.NaN())} {
		if !math.IsNaN(v) {
			t.Errorf("%s is %v, want NaN", name, v)
		}
	}
}
