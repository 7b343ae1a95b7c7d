package over

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// callKind is the kinds of function with OVER.
type callKind uint8

const (
	aggregateCall callKind = iota
	lagCall
	numberCall
	rankCall
	denseCall
)

// nullText is NULL as a row holds it.
const nullText = "\x00"

// call is a function with OVER.
type call struct {
	kind    callKind
	offset  int // of LAG
	place   int // of LAG, among those in a history entry
	arg     *eval.Program
	def     *eval.Program
	value   *column.Vector
	missing *column.Vector
	filled  bool // the default of LAG is never NULL
}

// newCall makes a function; plain says that it is an aggregate function.
func newCall(c plan.AggCall, env eval.Env) (k call, plain bool, err error) {
	switch c.Function {
	case "ROW_NUMBER":
		return call{kind: numberCall}, false, nil
	case "RANK":
		return call{kind: rankCall}, false, nil
	case "DENSE_RANK":
		return call{kind: denseCall}, false, nil
	case "LAG":
	case "LEAD", "NTILE", "PERCENT_RANK", "CUME_DIST", "NTH_VALUE":
		return k, false, &eval.Unsupported{At: c.At, What: c.Function + " over a stream"}
	default:
		return k, true, nil
	}
	k = call{kind: lagCall, offset: 1}
	if k.arg, err = eval.Compile(c.Args[0], env); err != nil {
		return k, false, err
	}
	if len(c.Args) > 1 {
		v, err := eval.Constant(c.Args[1], env)
		n, ok := v.(int64)
		if err != nil || !ok || n < 0 {
			return k, false, &eval.Unsupported{At: c.At, What: "LAG by something other than a constant from 0 on"}
		}
		k.offset = int(n)
	}
	if len(c.Args) > 2 {
		k.def, err = eval.Compile(c.Args[2], env)
		k.filled = !c.Args[2].Type().Nullable
	}
	return k, false, err
}

func (k *call) bind(b *column.Batch) (err error) {
	if k.arg != nil {
		if k.value, err = k.arg.Eval(b); err != nil {
			return err
		}
	}
	if k.def != nil {
		k.missing, err = k.def.Eval(b)
	}
	return err
}

// append appends the result for row i of the working batch.
func (k *call) append(dst *column.Vector, p *partition, i int) error {
	switch k.kind {
	case numberCall:
		appendInt(dst, p.rows)
	case rankCall:
		appendInt(dst, p.rank)
	case denseCall:
		appendInt(dst, p.dense)
	default:
		return k.lag(dst, p, i)
	}
	return nil
}

func appendInt(dst *column.Vector, n int64) {
	dst.Extend(1)
	dst.Ints[dst.Len-1] = n
}

// lagNull appends what LAG is where the earlier value is NULL. As in Flink, that is
// NULL only where the default may be; with a default that is never NULL it is what
// Flink's rows hold in place of a NULL.
func (k *call) lagNull(dst *column.Vector) {
	at := dst.Len
	kind := dst.Type.Kind
	switch {
	case !k.filled:
		operator.AppendNull(dst)
	case kind.IsInteger(), kind.IsInterval(), kind == types.Date, kind == types.Time:
		appendInt(dst, -1)
	case kind.IsApprox():
		dst.Extend(1)
		dst.Floats[at] = -1
	case kind.IsCharacter():
		dst.Extend(1)
		dst.Strs[at] = ""
	case kind == types.Boolean:
		dst.Extend(1)
		dst.Bools[at] = false
	default:
		operator.AppendNull(dst)
	}
}

func (k *call) lag(dst *column.Vector, p *partition, i int) error {
	switch at := len(p.history) - k.offset; {
	case k.offset == 0 && k.value.IsNull(i):
		k.lagNull(dst)
	case k.offset == 0:
		operator.Append(dst, k.value, i)
	case at >= 0:
		s := p.history[at]
		for range k.place {
			_, rest, err := row.Text(s)
			if err != nil {
				return err
			}
			s = rest
		}
		text, _, err := row.Text(s)
		if err != nil {
			return err
		}
		if text == nullText {
			k.lagNull(dst)
			return nil
		}
		_, err = row.DecodeValue(text, dst)
		return err
	case k.missing != nil:
		operator.Append(dst, k.missing, i)
	default:
		operator.AppendNull(dst)
	}
	return nil
}
