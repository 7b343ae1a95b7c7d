//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// box is the dead letters of the site's job.
type box struct{ s *site }

type letterJSON struct {
	ID, State, Text string
	Letter          struct{ ErrorType, Stage, SourceTable, ReplayOf string }
}

func (b box) path(what string) string { return "/api/v1/jobs/" + b.s.index + "/deadletters" + what }

func (b box) list(query string) ([]letterJSON, error) {
	var res struct{ Letters []letterJSON }
	err := b.s.call("GET", b.path(query), nil, &res)
	return res.Letters, err
}

// counts returns how many letters are open, replayed and discarded.
func (b box) counts() (text string, err error) {
	var c struct{ Open, Replayed, Discarded string }
	err = b.s.call("GET", b.path(":count"), nil, &c)
	return c.Open + " " + c.Replayed + " " + c.Discarded, err
}

func (b box) has(want string, within time.Duration) {
	b.s.t.Helper()
	eventually(b.s.t, within, "letters "+want, func() error {
		got, err := b.counts()
		if err == nil && got != want {
			err = fmt.Errorf("%s open, replayed, discarded", got)
		}
		return err
	})
}

// feedRaw writes values to a topic, which it makes.
func (s *site) feedRaw(topic string, values []string) {
	s.t.Helper()
	cfg := kafka.Config{Brokers: []string{s.brokers}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	eventually(s.t, 30*time.Second, "topic "+topic, func() error { return a.EnsureTopic(ctx, topic, 1, nil) })
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for _, v := range values {
		r.Append(0, nil, []byte(v))
	}
	answer := make(chan error, 1)
	_ = p.Produce(ctx, topic, &r, func(err error, _ []kafka.Failure) { answer <- err })
	if err := <-answer; err != nil {
		s.t.Fatal(err)
	}
}

// lettersJob reads a topic of its own, and writes documents by id.
func (s *site) lettersJob(columns, query string) string {
	return fmt.Sprintf("SET 'execution.checkpointing.interval' = '100 ms';\n"+
		"CREATE TABLE src (%s) WITH ('connector'='kafka','topic'='%s-raw','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json','error-handling.mode'='dlq');\n"+
		"CREATE TABLE docs (id BIGINT, n STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector'='elasticsearch-7','hosts'='%s','index'='%s','username'='%s','password'='%s','failure-handler'='ignore');\n%s",
		columns, s.topic, s.brokers, s.search, s.index, s.user, s.pass, query)
}

// Broken lines and refused documents are listed, mended, replayed and discarded.
func TestDeadLettersAreMended(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		writeFile(t, s.log(), "")
		sql := s.lettersJob("id BIGINT, n STRING", "INSERT INTO docs SELECT id, n FROM src;")
		writeFile(t, filepath.Join(s.dir, s.index+".sql"), sql)
		s.boot()
		s.feedRaw(s.topic+"-raw", nil)
		eventually(t, 30*time.Second, "the job is created", func() error {
			return s.call("POST", "/api/v1/jobs", map[string]any{"name": s.index, "sql": sql, "start": true, "replace": true}, nil)
		})
		eventually(t, 30*time.Second, "an index of numbers", func() error {
			return s.ask("PUT", "/"+s.index, `{"mappings":{"properties":{"n":{"type":"long"}}}}`, nil)
		})
		var values []string
		for i := range 5 {
			values = append(values, fmt.Sprintf(`{"id":%d,"n":"%d"}`, i, i))
		}
		s.feedRaw(s.topic+"-raw", append(values, `{"id":5, broken`, `{"id":6,"n":"no number"}`, `not JSON`))
		b := box{s}
		b.has("3 0 0", 60*time.Second)
		s.arrives(5, 60*time.Second)

		broken, err := b.list("?error_type=parse_error&state=DEAD_LETTER_STATE_OPEN")
		if err != nil || len(broken) != 2 || broken[1].Text != `{"id":5, broken` || broken[0].Letter.SourceTable != "src" {
			t.Fatalf("broken rows %+v, %v", broken, err)
		}
		refused, err := b.list("?stage=indexer")
		if err != nil || len(refused) != 1 || refused[0].Letter.SourceTable != "docs" {
			t.Fatalf("refused documents %+v, %v", refused, err)
		}
		replay := func(id, text string) {
			var res struct{ Replayed string }
			if err := s.call("POST", b.path(":replay"), map[string]any{"ids": []string{id}, "text": text}, &res); err != nil || res.Replayed != "1" {
				t.Fatalf("replay %s: %+v, %v", id, res, err)
			}
		}
		replay(broken[1].ID, `{"id":5,"n":"55"}`)
		replay(refused[0].ID, `{"id":6,"n":66}`)
		if err := s.call("POST", b.path(":discard"), map[string]any{"filter": map[string]any{"text": "not json"}}, nil); err != nil {
			t.Fatal(err)
		}
		s.arrives(7, 60*time.Second)
		for id, n := range map[int]string{5: "55", 6: "66"} {
			var doc struct {
				Source struct{ N json.RawMessage } `json:"_source"`
			}
			if err := s.ask("GET", fmt.Sprintf("/%s/_doc/%d", s.index, id), "", &doc); err != nil || string(doc.Source.N) != n && string(doc.Source.N) != `"`+n+`"` {
				t.Errorf("document %d: %s, %v", id, doc.Source.N, err)
			}
		}
		b.has("0 2 1", 10*time.Second)

		// What is refused again is a new letter that names the one it was.
		var again struct{ Replayed string }
		if err := s.call("POST", b.path(":replay"), map[string]any{"ids": []string{refused[0].ID}, "again": true}, &again); err != nil || again.Replayed != "1" {
			t.Fatalf("%+v, %v", again, err)
		}
		b.has("1 2 1", 30*time.Second)
		if open, err := b.list("?state=DEAD_LETTER_STATE_OPEN"); err != nil || len(open) != 1 || open[0].Letter.ReplayOf != refused[0].ID {
			t.Errorf("%+v, %v: want a replay of %s", open, err, refused[0].ID)
		}
		s.balanced()
		s.halt()
		restart(s)
		b.has("1 2 1", 30*time.Second)
		s.arrives(7, 30*time.Second)
	})
}

// A replay whose process is killed can be asked for again: each letter is in the
// job once.
func TestReplaySurvivesKills(t *testing.T) {
	n := number("LETTERS", 5000)
	eachSite(t, func(t *testing.T, s *site) {
		writeFile(t, s.log(), "")
		const count = "INSERT INTO docs SELECT id, CAST(COUNT(*) AS STRING) FROM src WHERE n IS NOT NULL GROUP BY id;"
		sql := s.lettersJob("id BIGINT, n INT", count)
		file := filepath.Join(s.dir, s.index+".sql")
		writeFile(t, file, sql)
		s.boot()
		s.feedRaw(s.topic+"-raw", nil)
		create := func(sql string) {
			writeFile(t, file, sql)
			eventually(t, 30*time.Second, "the job is created", func() error {
				return s.call("POST", "/api/v1/jobs", map[string]any{"name": s.index, "sql": sql, "start": true, "replace": true}, nil)
			})
		}
		create(sql)
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprintf(`{"id":%d,"n":"word"}`, i)
		}
		s.feedRaw(s.topic+"-raw", values)
		b := box{s}
		b.has(fmt.Sprintf("%d 0 0", n), 60*time.Second)
		create(s.lettersJob("id BIGINT, n STRING", count)) // the table is mended
		for range 3 {
			eventually(t, 60*time.Second, "the job runs", func() error {
				state, text, err := s.jobState(s.index)
				if err == nil && state != "JOB_STATE_RUNNING" {
					err = fmt.Errorf("%s %s", state, text)
				}
				return err
			})
			asked := make(chan error, 1)
			go func() { asked <- s.call("POST", b.path(":replay"), map[string]any{"filter": map[string]any{}}, nil) }()
			time.Sleep(rand.N(100 * time.Millisecond))
			s.crash()
			if err := <-asked; err == nil {
				t.Log("a replay was faster than the kill")
			}
			s.boot()
		}
		eventually(t, 60*time.Second, "all is replayed", func() error {
			return s.call("POST", b.path(":replay"), map[string]any{"filter": map[string]any{}}, nil)
		})
		b.has(fmt.Sprintf("0 %d 0", n), 60*time.Second)
		s.arrives(n, 2*time.Minute)
		time.Sleep(2 * time.Second) // what comes twice must not add to a count
		once := func() error {
			if err := s.ask("POST", "/"+s.index+"/_refresh", "", nil); err != nil {
				return err
			}
			var c struct{ Count int }
			if err := s.ask("POST", "/"+s.index+"/_count", `{"query":{"match":{"n":"1"}}}`, &c); err != nil {
				return err
			}
			if c.Count != n {
				return fmt.Errorf("%d of %d letters are in the job once", c.Count, n)
			}
			return nil
		}
		eventually(t, 10*time.Second, "each letter once", once)
		s.balanced()
	})
}
