//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sites are what every scenario runs on.
var sites = []struct {
	name string
	make func(t *testing.T) *site
}{
	{"embedded", func(t *testing.T) *site { return allInOne(t, false) }},
	{"real", func(t *testing.T) *site { return allInOne(t, true) }},
	{"separate", separate},
}

func eachSite(t *testing.T, scenario func(t *testing.T, s *site)) {
	for _, x := range sites {
		t.Run(x.name, func(t *testing.T) { scenario(t, x.make(t)) })
	}
}

// number is a size that the environment may raise for a longer run.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func line(i int) string {
	return fmt.Sprintf("%08d level=INFO request handled path=/api/v1/items/%d status=200 bytes=%d user=u%04d note=abcdefghijklmnopqrstuvwxyz", i, i%977, i*7%10000, i%10000)
}

func lines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(line(i))
		b.WriteByte('\n')
	}
	return b.String()
}

func TestLinesBecomeDocuments(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		appendFile(t, s.log(), lines(0, 1000))
		s.boot()
		s.arrives(1000, 60*time.Second)

		// A line that is appended is found within a second, through every service.
		var took []time.Duration
		for i := range 10 {
			word := fmt.Sprintf("needle%d", rand.N(1<<30))
			start := time.Now()
			appendFile(t, s.log(), word+"\n")
			eventually(t, 10*time.Second, "the line is found", func() error {
				if err := s.ask("POST", "/"+s.index+"/_refresh", "", nil); err != nil {
					return err
				}
				var c struct{ Count int }
				if err := s.ask("POST", "/"+s.index+"/_count", fmt.Sprintf(`{"query":{"match":{"message":%q}}}`, word), &c); err != nil {
					return err
				}
				if c.Count != 1 {
					return fmt.Errorf("line %d: %d documents", i, c.Count)
				}
				return nil
			})
			took = append(took, time.Since(start))
			time.Sleep(time.Duration(rand.N(300)) * time.Millisecond)
		}
		slices.Sort(took)
		t.Logf("from line to document: median %s, slowest %s", took[len(took)/2], took[len(took)-1])
		if m := took[len(took)/2]; m > time.Second {
			t.Errorf("the median line takes %s", m)
		}

		// The events are Filebeat's, and the gateway shows them.
		got, err := s.listMessages(s.topic)
		if err != nil || len(got) == 0 {
			t.Fatalf("messages: %d, %v", len(got), err)
		}
		for _, part := range []string{`"@timestamp":"`, `"@metadata":{"beat":"filebeat","type":"_doc","version":"`, `"log":{"offset":`, `"input":{"type":"log"}`, `"host":{`, `"ephemeral_id":"`, `"ecs":{"version":"`} {
			if !strings.Contains(got[0], part) {
				t.Errorf("event lacks %s: %s", part, got[0])
			}
		}
		s.balanced()
		s.halt()

		// What was written meanwhile is read by the next start, what was read is not read again.
		appendFile(t, s.log(), lines(1000, 1100))
		restart(s)
		s.arrives(1110, 60*time.Second)
	})
}

// restart boots a site whose processes were all stopped.
func restart(s *site) {
	if s.reset != nil {
		s.reset()
	}
	s.boot()
}

func TestNothingLostNothingTwice(t *testing.T) {
	n := number("LINES", 100_000)
	kills := number("KILLS", 5)
	eachSite(t, func(t *testing.T, s *site) {
		appendFile(t, s.log(), lines(0, n/2))
		s.boot()
		written := n / 2
		for k := range kills {
			time.Sleep(500*time.Millisecond + time.Duration(rand.N(2000))*time.Millisecond)
			s.crash()
			next := written + n/2/kills
			if k == kills-1 {
				next = n
			}
			appendFile(t, s.log(), lines(written, next))
			written = next
			s.boot()
		}
		s.arrives(n, 5*time.Minute)
		time.Sleep(2 * time.Second) // what is sent again must not add any
		s.arrives(n, time.Minute)
		seen := map[string]int{}
		for _, m := range s.messages() {
			seen[m]++
		}
		for i := range n {
			if seen[line(i)] != 1 {
				t.Fatalf("line %d is in the index %d times", i, seen[line(i)])
			}
		}
		if len(seen) != n {
			t.Errorf("%d different lines, want %d", len(seen), n)
		}
		s.balanced()
	})
}
