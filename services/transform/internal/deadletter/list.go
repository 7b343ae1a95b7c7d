package deadletter

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
)

const (
	defaultPage = 100
	maxPage     = 1000
	// excerpt is how much of a payload a list shows.
	excerpt = 2 << 10
	// searched is for how long letters are searched for a text before a page is
	// given as it is.
	searched = 5 * time.Second
)

// choiceOf turns a filter into a choice.
func choiceOf(f *deadletterv1.LetterFilter) (*choice, error) {
	c := &choice{errorType: f.GetErrorType(), table: f.GetSourceTable(), stage: f.GetStage(), text: strings.ToLower(f.GetText()), state: f.GetState()}
	for _, t := range []struct {
		name string
		from *timestamppb.Timestamp
		to   *int64
	}{{"from", f.GetFrom(), &c.from}, {"to", f.GetTo(), &c.to}} {
		if t.from == nil {
			continue
		}
		if err := t.from.CheckValid(); err != nil {
			return nil, fmt.Errorf("%w: '%s': %w", ErrRequest, t.name, err)
		}
		*t.to = t.from.AsTime().UnixMilli()
	}
	if c.state < 0 || c.state > discarded {
		return nil, fmt.Errorf("%w: 'state' must be OPEN, REPLAYED or DISCARDED, with DEAD_LETTER_STATE_ before it", ErrRequest)
	}
	return c, nil
}

// has reports whether a letter has the text that is looked for.
func (c *choice) has(l *deadletterv1.DeadLetter) bool {
	return c.text == "" || bytes.Contains(bytes.ToLower(l.GetRawPayload()), []byte(c.text)) || strings.Contains(strings.ToLower(l.GetErrorMessage()), c.text)
}

// known reports whether a job has letters, or could have some.
func (k *Keeper) known(ctx context.Context, job string) error {
	if job == "" {
		return fmt.Errorf("%w: 'job' is empty", ErrRequest)
	}
	there, err := k.sync(ctx, job)
	if err != nil || there {
		return err
	}
	if _, err := k.d.Outlets(job); err != nil {
		return fmt.Errorf("job %q: %w", job, ErrNoJob)
	}
	return nil
}

// List returns letters, newest first.
func (k *Keeper) List(ctx context.Context, req *deadletterv1.ListDeadLettersRequest) (*deadletterv1.ListDeadLettersResponse, error) {
	c, err := choiceOf(&deadletterv1.LetterFilter{ErrorType: req.GetErrorType(), SourceTable: req.GetSourceTable(), Stage: req.GetStage(),
		From: req.GetFrom(), To: req.GetTo(), Text: req.GetText(), State: req.GetState()})
	if err != nil {
		return nil, err
	}
	after, err := fromToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if err := k.known(ctx, req.GetJob()); err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	k.mu.Lock()
	all := k.box(req.GetJob()).choose(c)
	k.mu.Unlock()
	if after != nil {
		i, found := slices.BinarySearchFunc(all, *after, newestFirst)
		if found {
			i++
		}
		all = all[i:]
	}
	return k.page(ctx, req.GetJob(), all, size, c)
}

// page fills a page with the first letters that have the text.
func (k *Keeper) page(ctx context.Context, job string, all []note, size int, c *choice) (*deadletterv1.ListDeadLettersResponse, error) {
	res := &deadletterv1.ListDeadLettersResponse{}
	until := time.Now().Add(searched)
	for len(all) > 0 && len(res.GetLetters()) < size && time.Now().Before(until) {
		n := min(len(all), size-len(res.GetLetters()))
		if c.text != "" {
			n = min(len(all), 1000)
		}
		found := make(map[ref]*deadletterv1.Letter)
		err := k.read(ctx, job, all[:n], func(n note, l *deadletterv1.DeadLetter) error {
			if c.has(l) {
				found[n.ref] = shown(n, l, false)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for len(all) > 0 && n > 0 && len(res.GetLetters()) < size {
			if l := found[all[0].ref]; l != nil {
				res.Letters = append(res.Letters, l)
			}
			if len(all) > 1 {
				res.NextPageToken = toToken(all[0])
			} else {
				res.NextPageToken = ""
			}
			all, n = all[1:], n-1
		}
	}
	return res, nil
}

func toToken(n note) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", n.at, n.ref))
}

// fromToken returns the last letter of the page before; nil for the first page.
func fromToken(token string) (*note, error) {
	if token == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	var at int64
	var id string
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%d %s", &at, &id)
	}
	r, ok := parseRef(id)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: 'page_token' is not one that a list gave", ErrRequest)
	}
	return &note{ref: r, at: at}, nil
}

// shown is a letter as clients see it, whole or as a line of a list.
func shown(n note, l *deadletterv1.DeadLetter, whole bool) *deadletterv1.Letter {
	out := &deadletterv1.Letter{Id: n.String(), State: n.state, PayloadBytes: int64(len(l.GetRawPayload())), Letter: l}
	if n.changed != 0 {
		out.ChangedAt = timestamppb.New(time.UnixMilli(n.changed))
	}
	text := l.GetRawPayload()
	if !whole {
		l.RawPayload, l.Key, l.Headers = nil, nil, nil
		if len(text) > excerpt {
			text = text[:excerpt]
			for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
				text = text[:len(text)-1] // a letter that is cut in two
			}
			if r, _ := utf8.DecodeLastRune(text); r == utf8.RuneError {
				text = text[:max(0, len(text)-1)]
			}
		}
	}
	if utf8.Valid(text) {
		out.Text = string(text)
	}
	return out
}

// Get returns a letter with all that is kept of it.
func (k *Keeper) Get(ctx context.Context, job, id string) (*deadletterv1.Letter, error) {
	if err := k.known(ctx, job); err != nil {
		return nil, err
	}
	n, err := k.noteOf(job, id)
	if err != nil {
		return nil, err
	}
	var out *deadletterv1.Letter
	err = k.read(ctx, job, []note{n}, func(n note, l *deadletterv1.DeadLetter) error {
		out = shown(n, l, true)
		return nil
	})
	if err == nil && out == nil {
		err = fmt.Errorf("dead letter %s of job %q: %w", id, job, ErrNoLetter)
	}
	return out, err
}

func (k *Keeper) noteOf(job, id string) (note, error) {
	r, ok := parseRef(id)
	if !ok {
		return note{}, fmt.Errorf("%w: %q is not the id of a dead letter, which is like 0-17", ErrRequest, id)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.box(job).find(r)
	if n == nil {
		return note{}, fmt.Errorf("dead letter %s of job %q: %w", id, job, ErrNoLetter)
	}
	return *n, nil
}

// Counts says how many letters of which kind a job has.
func (k *Keeper) Counts(ctx context.Context, job string) (*deadletterv1.CountDeadLettersResponse, error) {
	if err := k.known(ctx, job); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.box(job)
	newest := make(map[int]int64)
	for _, part := range b.parts {
		for _, n := range *part {
			newest[n.kind] = max(newest[n.kind], n.at)
		}
	}
	res := &deadletterv1.CountDeadLettersResponse{}
	for i, x := range b.kinds {
		c := b.counts[i]
		if c[open]+c[replayed]+c[discarded] == 0 {
			continue
		}
		res.Open, res.Replayed, res.Discarded = res.GetOpen()+c[open], res.GetReplayed()+c[replayed], res.GetDiscarded()+c[discarded]
		res.Kinds = append(res.Kinds, &deadletterv1.LetterCount{ErrorType: x.errorType, SourceTable: x.table, Stage: x.stage,
			Open: c[open], Replayed: c[replayed], Discarded: c[discarded], Newest: timestamppb.New(time.UnixMilli(newest[i]))})
	}
	slices.SortFunc(res.GetKinds(), func(a, b *deadletterv1.LetterCount) int { return int(b.GetOpen() - a.GetOpen()) })
	return res, nil
}

// Tally is how many letters of a job are in which state.
type Tally struct{ Open, Replayed, Discarded int64 }

// Tallies returns those of all jobs with letters, as far as they have been read.
func (k *Keeper) Tallies() map[string]Tally {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make(map[string]Tally, len(k.boxes))
	for job, b := range k.boxes {
		if len(b.parts) == 0 {
			continue
		}
		var t Tally
		for _, c := range b.counts {
			t.Open, t.Replayed, t.Discarded = t.Open+c[open], t.Replayed+c[replayed], t.Discarded+c[discarded]
		}
		all[job] = t
	}
	return all
}

// selected returns the letters that ids or a filter name, and how many of the ids
// there are not. A filter without a state means open letters.
func (k *Keeper) selected(ctx context.Context, job string, ids []string, f *deadletterv1.LetterFilter) ([]note, []*deadletterv1.LetterProblem, *choice, error) {
	if (len(ids) > 0) == (f != nil) {
		return nil, nil, nil, fmt.Errorf("%w: give either 'ids' or a 'filter'; an empty filter {} means all open letters", ErrRequest)
	}
	if err := k.known(ctx, job); err != nil {
		return nil, nil, nil, err
	}
	if f != nil {
		c, err := choiceOf(f)
		if err != nil {
			return nil, nil, nil, err
		}
		if c.state == 0 {
			c.state = open
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.box(job).choose(c), nil, c, nil
	}
	var out []note
	var missing []*deadletterv1.LetterProblem
	seen := make(map[ref]bool)
	for _, id := range ids {
		n, err := k.noteOf(job, id)
		switch {
		case errors.Is(err, ErrNoLetter):
			missing = append(missing, &deadletterv1.LetterProblem{Id: id, Message: ErrNoLetter.Error()})
		case err != nil:
			return nil, nil, nil, err
		case !seen[n.ref]:
			seen[n.ref] = true
			out = append(out, n)
		}
	}
	return out, missing, &choice{}, nil
}
