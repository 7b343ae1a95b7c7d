package render

// SetLimit makes the bound on what a batch becomes small enough for a test.
func (s *Stream) SetLimit(n int64) { s.limit = n }
