// Package fault marks errors by what may be done about them: a permanent one
// comes again however often one tries, a retryable one may pass.
package fault

import "errors"

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

type retryable struct{ error }

func (r retryable) Unwrap() error { return r.error }

// Permanent marks err as one that trying again won't mend.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Retryable marks err as one that may pass.
func Retryable(err error) error {
	if err == nil {
		return nil
	}
	return retryable{err}
}

// IsPermanent reports whether err, or one that it wraps, was marked permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// IsRetryable reports whether err, or one that it wraps, was marked retryable.
func IsRetryable(err error) bool {
	var r retryable
	return errors.As(err, &r)
}
