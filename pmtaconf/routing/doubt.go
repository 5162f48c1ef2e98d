package routing

import (
	"fmt"
	"iter"
	"slices"
)

// Doubt is a question about PMTA that its guide leaves open, or answers in two ways, and that an answer of this package may depend on.
type Doubt struct {
	ID       string    `json:"id"`       // stable; the key in [Options]
	Question string    `json:"question"` // one line
	Readings []Reading `json:"readings"` // at least two; the first is the default
	Section  string    `json:"section"`  // sections of the 5.0 guide that bear on it, separated by "; "
	Settle   string    `json:"settle"`   // the command or small test that answers it on a real server

	reindex bool // another reading needs another index
}

// Default is the ID of the reading that holds unless [Options] say otherwise.
func (d Doubt) Default() string { return d.Readings[0].ID }

// Reading is one way to answer a [Doubt].
type Reading struct {
	ID      string `json:"id"`                // stable within its doubt
	Means   string `json:"means"`             // one line
	Unknown bool   `json:"unknown,omitempty"` // what follows from it cannot be worked out from a configuration; [New] refuses it
}

// Doubts yields the table of doubts, in the order in which a message meets them.
func Doubts() iter.Seq[Doubt] {
	return func(yield func(Doubt) bool) {
		for i := range doubts {
			d := doubts[i]
			d.Readings = slices.Clone(d.Readings)
			if !yield(d) {
				return
			}
		}
	}
}

// Options say how a configuration is read. The zero value and a nil pointer mean the defaults.
type Options struct {
	// Readings holds the ID of a reading by that of its doubt; what is missing has its default. See Doubts.
	Readings map[string]string
}

// Open is a doubt that an answer depends on: under another reading it would be another one. Each doubt is looked at by itself, with the
// assumed reading of all others.
type Open[T any] struct {
	Doubt     string    `json:"doubt"`          // its ID; see Doubts
	Assumed   string    `json:"assumed"`        // the reading that the answer was given under
	At        *Line     `json:"at,omitempty"`   // the line that is in doubt, where it is one line
	Otherwise []Case[T] `json:"otherwise"`      // what would come of the other readings, where that differs
	More      int       `json:"more,omitempty"` // further lines in the same doubt that were not worked through
}

// Case is the result under one reading of a doubt.
type Case[T any] struct {
	Reading string `json:"reading"`           // its ID
	Unknown bool   `json:"unknown,omitempty"` // the result cannot be worked out; Result is the zero value
	Result  T      `json:"result"`
}

// assumed is a doubt with the reading that answers are given under.
func assumed[T any](ix *Index, d doubt) Open[T] {
	return Open[T]{Doubt: doubts[d].ID, Assumed: doubts[d].Readings[ix.read[d]].ID}
}

// opened works an answer out under the other readings of the doubts that it met. Under gives the result, and whether that is the same as
// the answer.
func opened[T any](ix *Index, seen set, under func(*Index) (result T, same bool)) []Open[T] {
	var open []Open[T]
	for d := range doubt(doubtCount) {
		if !seen.has(d) {
			continue
		}
		o := assumed[T](ix, d)
		for n, r := range doubts[d].Readings {
			switch {
			case n == int(ix.read[d]):
			case r.Unknown:
				o.Otherwise = append(o.Otherwise, Case[T]{Reading: r.ID, Unknown: true})
			default:
				if result, same := under(ix.under(d, n)); !same {
					o.Otherwise = append(o.Otherwise, Case[T]{Reading: r.ID, Result: result})
				}
			}
		}
		if o.Otherwise != nil {
			open = append(open, o)
		}
	}
	return open
}

// readings holds the number of a reading for each doubt.
type readings [doubtCount]uint8

// set is a set of doubts.
type set uint64

func (s *set) add(d doubt)     { *s |= 1 << d }
func (s set) has(d doubt) bool { return s&(1<<d) != 0 }

// readingsOf turns options into numbers.
func readingsOf(opts *Options) (readings, error) {
	var r readings
	if opts == nil {
		return r, nil
	}
	for id, want := range opts.Readings {
		d := slices.IndexFunc(doubts[:], func(d Doubt) bool { return d.ID == id })
		if d < 0 {
			return r, fmt.Errorf("routing: no doubt is called %q; see Doubts", id)
		}
		n := slices.IndexFunc(doubts[d].Readings, func(r Reading) bool { return r.ID == want })
		if n < 0 {
			return r, fmt.Errorf("routing: doubt %s has no reading %q; see Doubts", id, want)
		}
		if doubts[d].Readings[n].Unknown {
			return r, fmt.Errorf("routing: what follows from reading %q of doubt %s cannot be worked out", want, id)
		}
		r[d] = uint8(n)
	}
	return r, nil
}
