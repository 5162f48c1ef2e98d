package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ApplyOptions says how [Apply] goes about it. The zero value, or nil, stops at the first error.
type ApplyOptions struct {
	// Concurrency is how many changes are under way at a time at most. 0 means 4; 1 makes them one after the other, in the order of the
	// list. More only helps while the limiter of [Config] has something left.
	Concurrency int
	// Progress is called, from the calling goroutine, when a change starts and when it ends. nil means nobody is told.
	Progress func(Step)
	// Journal gets a line of JSON before and after each request and each change, as [JournalEntry] describes, each with one Write. A
	// request whose line cannot be written is not sent, and the apply stops. nil means no journal. Give it a file that is appended to.
	Journal io.Writer
	// ContinueOnError goes on with the changes that do not depend on one that failed.
	ContinueOnError bool
	// AllowConflicts applies the changes although some wishes cannot be fulfilled. Without it, conflicts other than waiting ones are an
	// error and nothing is sent.
	AllowConflicts bool
	// LoadKey returns the text of the private key file named in a DKIMKey that has no key in memory, as PEM. Changes that were stored
	// as JSON need it.
	LoadKey func(ctx context.Context, file string) ([]byte, error)
}

// Outcome tells what became of a change.
type Outcome string

// The outcomes.
const (
	// OutcomeStarted is reported before the first request for a change.
	OutcomeStarted Outcome = "started"
	// OutcomeDone means that the change was made.
	OutcomeDone Outcome = "done"
	// OutcomeUnneeded means that the resource was as wanted already, for example after an earlier apply.
	OutcomeUnneeded Outcome = "unneeded"
	// OutcomeFailed means that Err says why it was not made. With [ErrUncertain] it may have been made.
	OutcomeFailed Outcome = "failed"
	// OutcomeBlocked means that it depends on a change that failed.
	OutcomeBlocked Outcome = "blocked"
	// OutcomeNotTried means that the apply had stopped before.
	OutcomeNotTried Outcome = "not tried"
)

// Step is one change on its way.
type Step struct {
	// Index counts from 0 to Total-1.
	Index, Total int
	// Change is what is being done.
	Change Change
	// Outcome and Err tell how it stands.
	Outcome Outcome
	Err     error
}

// Report is what an apply came to.
type Report struct {
	// Steps has one entry for each change, in order.
	Steps []Step
}

// Count returns how many changes came to the outcome.
func (r *Report) Count(o Outcome) int {
	n := 0
	for _, s := range r.Steps {
		if s.Outcome == o {
			n++
		}
	}
	return n
}

// ChangeError is the failure of one change.
type ChangeError struct {
	// Change is what was to be done.
	Change Change
	// Err is why it was not.
	Err error
}

// Error returns one line: the change and the reason.
func (e *ChangeError) Error() string {
	return fmt.Sprintf("sparkpost: %s %s %s: %s", e.Change.Op, e.Change.Kind, e.Change.Key, strings.TrimPrefix(e.Err.Error(), "sparkpost: "))
}

// Unwrap returns Err.
func (e *ChangeError) Unwrap() error { return e.Err }

// Apply makes the changes, several at a time, each after those it depends on. It begins with one list request for each kind of resource
// the changes touch, asks for the keys of a domain that has them changed, and makes only what is not there yet: the same changes may be applied again, after being cut off at any request,
// and nothing is made twice. A resource that is neither as it was planned nor as it is wanted is left alone and reported as [ErrStale].
// Deletions wait for everything that stands before them in the list, and are not tried when some of that failed.
//
// When the answer to a creation is lost, the resource is looked for once; if it is not there, the change fails with [ErrUncertain], and
// the next run decides from a fresh list.
//
// After an error, or when ctx ends, no further change is started, and those under way are waited for. The report is complete also in
// case of an error. The error is a *[ChangeError], several of them joined when several changes failed, or the error of the first
// lists. Only one apply should work on an account at a time: the API has no locks.
func Apply(ctx context.Context, c *Client, changes *Changes, opts *ApplyOptions) (*Report, error) {
	if opts == nil {
		opts = &ApplyOptions{}
	}
	total := len(changes.List)
	rep := &Report{Steps: make([]Step, total)}
	for i, ch := range changes.List {
		rep.Steps[i] = Step{Index: i, Total: total, Change: ch, Outcome: OutcomeNotTried}
	}
	if hard := changes.hard(); len(hard) > 0 && !opts.AllowConflicts {
		return rep, fmt.Errorf("sparkpost: %d conflicts, nothing was changed; the first: %s", len(hard), hard[0])
	}
	if opts.Concurrency < 0 {
		return rep, errors.New("sparkpost: negative ApplyOptions.Concurrency")
	}
	if total == 0 {
		return rep, nil
	}
	var j *journal
	if opts.Journal != nil {
		j = &journal{w: opts.Journal, now: c.api.now}
	}
	if err := j.write(JournalEntry{Event: JournalBegin, Total: total}); err != nil {
		return rep, err
	}
	now, err := read(withJournal(ctx, j, JournalEntry{}), c, nil, kindsOf(changes))
	if err != nil {
		return rep, err
	}
	r := &run{applier: newApplier(c, now, opts), journal: j, rep: rep, opts: opts}
	err = r.all(ctx)
	j.write(JournalEntry{Event: JournalFinish, Total: total}) // the last line is only a comfort
	return rep, err
}

// hard returns the conflicts that do not only wait.
func (c *Changes) hard() []Conflict {
	return slices.DeleteFunc(slices.Clone(c.Conflicts), func(co Conflict) bool { return co.Waiting })
}

func kindsOf(changes *Changes) map[Kind]bool {
	kinds := map[Kind]bool{}
	for _, ch := range changes.List {
		kinds[ch.Kind] = true
	}
	if kinds[KindKey] {
		kinds[KindDomain] = true
	}
	return kinds
}

// item returns the resource a change is about.
func (c Change) item() *Item {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// compare holds a change against the resource as it is. It returns true when every field is as wanted, and ErrStale when one is neither
// as planned nor as wanted. For a creation nothing was planned to be there, so anything that differs is stale.
func compare(ch Change, now *Item) (asWanted bool, err error) {
	cur := now.fields()
	asWanted = true
	for _, f := range ch.diff() {
		if f.Name == "subaccount" || f.Name == "verify" || cur[f.Name] == f.After {
			continue
		}
		asWanted = false
		if ch.Op == OpCreate || cur[f.Name] != f.Before {
			return false, fmt.Errorf("%w: %s is %q", ErrStale, f.Name, shortKey(cur[f.Name]))
		}
	}
	return asWanted, nil
}

// gone is the error for a resource that a change needs and that is not there.
func gone() error { return fmt.Errorf("%w: it is not there", ErrStale) }

// lost reports whether a failed creation may have left the resource behind, or met one from an earlier try.
func lost(err error) bool { return errors.Is(err, ErrUncertain) || errors.Is(err, ErrConflict) }
