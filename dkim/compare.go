package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolver is what this package asks of DNS. A [*net.Resolver] is one. Names
// come with a final dot, so that no list of search domains is applied to them.
type Resolver interface {
	// LookupTXT returns the TXT records at name, the strings of each put
	// together. A [*net.DNSError] with IsNotFound says that there are none.
	LookupTXT(ctx context.Context, name string) ([]string, error)
	// LookupCNAME returns the name that host is an alias of, or host itself.
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// Published is what DNS has at the name of one key.
type Published struct {
	// Name is what was looked up, "" when the line names no domain.
	Name string
	// Err is nil when signatures by the key verify against the record. Its kind
	// is [ErrMismatch], [ErrMissing], [ErrSeveral], [ErrRevoked],
	// [ErrMalformed] (Findings name the mistakes), [ErrLookup] with the error
	// of the resolver or the context, or [ErrNoKey] when there was no key to
	// compare with.
	Err error
	// CNAME is the name that Name is an alias of, "" when it is none. Who runs
	// that name decides about the key: it is not the caller's to move.
	CNAME string
	// Testing says that the record has the flag t=y.
	Testing bool
	// TXT are the records found, as text. Values other than p= of a sound
	// record are shortened, for they can be a private key.
	TXT []string
	// Record is the record, as it is meant when it holds mistakes; of several
	// the one that fits the key, or else the first. It is nil when there is
	// none to make sense of.
	Record *Record
	// Findings are those of [CheckRecord], and:
	//
	//	record-several  more than one TXT record at the name
	//	record-alias    the name is an alias
	//	record-seed     p= of an Ed25519 key holds its private half
	Findings []Finding
}

// CompareOptions bound the work of [Compare]. The zero value and a nil pointer
// mean the defaults.
type CompareOptions struct {
	// Limit is how many names are asked for at once; 0 means 8.
	Limit int
	// Timeout is the time for one name; 0 means no bound but that of the
	// context.
	Timeout time.Duration
	// Progress is called after each name, one call at a time, with the number
	// of names done and of all. nil means nobody is told.
	Progress func(done, total int)
}

// Compare looks up the record of each entry and compares it with the key, the
// results in the same order. Every name is looked up once, however many entries
// have it. When the context ends, the results so far are kept, and the others
// have [ErrLookup] with the error of the context; Compare returns at once if
// the resolver does.
//
// Lines with a wildcard name no domain to look up and are [ErrMalformed]; see
// [KeyLines.Expand].
func Compare(ctx context.Context, r Resolver, entries []Entry, opts *CompareOptions) []Published {
	if opts == nil {
		opts = new(CompareOptions)
	}
	results := make([]Published, len(entries))
	byName := make(map[string][]int)
	var names []string
	for i, e := range entries {
		name, err := RecordName(e.Line.Selector, e.Line.Domain)
		if err != nil {
			results[i].Err = err
			continue
		}
		name = strings.ToLower(name)
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], i)
	}
	opts.each(ctx, names, func(ctx context.Context, name string) {
		a := ask(ctx, r, name)
		for _, i := range byName[name] {
			results[i] = a.compare(name, entries[i])
		}
	})
	return results
}

// each runs work for every name, a limited number at a time, and returns when
// all are done. Once the context has ended work is still called, to say so.
func (o *CompareOptions) each(ctx context.Context, names []string, work func(context.Context, string)) {
	limit := o.Limit
	if limit < 1 {
		limit = 8
	}
	queue := make(chan string)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range min(limit, len(names)) {
		workers.Go(func() {
			for name := range queue {
				func() {
					ctx, cancel := ctx, context.CancelFunc(func() {})
					if o.Timeout > 0 {
						ctx, cancel = context.WithTimeout(ctx, o.Timeout)
					}
					defer cancel()
					work(ctx, name)
				}()
				mu.Lock()
				done++
				if o.Progress != nil {
					o.Progress(done, len(names))
				}
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	workers.Wait()
}

// answer is what DNS said about one name.
type answer struct {
	txt      []string
	err      error
	cname    string
	cnameErr error
}

func ask(ctx context.Context, r Resolver, name string) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	var a answer
	a.txt, a.err = r.LookupTXT(ctx, name+".")
	if notFound(a.err) {
		a.txt, a.err = nil, nil
	}
	if a.err != nil {
		return a
	}
	// A name that is no alias and has no address is "not found" here.
	a.cname, a.cnameErr = r.LookupCNAME(ctx, name+".")
	if a.cname = canonicalDomain(a.cname); a.cnameErr != nil || a.cname == name {
		a.cname = ""
	}
	if notFound(a.cnameErr) {
		a.cnameErr = nil
	}
	return a
}

func notFound(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// compare judges the answer for one entry.
func (a answer) compare(name string, entry Entry) Published {
	p := Published{Name: name, CNAME: a.cname}
	if a.err != nil {
		p.Err = &Error{Kind: ErrLookup, Reason: "the record of " + name + " could not be looked up; try again", Err: a.err}
		return p
	}
	if a.cname != "" {
		p.Findings = append(p.Findings, Finding{"record-alias", Warning, "the name is an alias of " + a.cname + ": whoever runs that decides about the key",
			"ask them before the key moves, or publish a record of your own under a new selector"})
	} else if a.cnameErr != nil {
		p.Findings = append(p.Findings, Finding{"record-alias", Info, "whether the name is an alias could not be found out", "try again"})
	}
	switch len(a.txt) {
	case 0:
		p.Err = &Error{Kind: ErrMissing, Reason: "there is no TXT record at " + name + "; publish the record of the key"}
		return p
	case 1:
		p.one(a.txt[0], entry.Key)
		return p
	}
	return p.several(a.txt, entry.Key)
}

// one judges a single record.
func (p *Published) one(txt string, key *Key) {
	_, strict := ParseRecord(txt)
	record, findings := CheckRecord(txt)
	seed := record.holdsSeed(key)
	if seed {
		findings = append(findings, Finding{"record-seed", Failure, "p= holds the PRIVATE key, open to everybody",
			"take the record down, make a new key under a new selector, and publish its public half"})
		record = nil
	}
	p.Record = record
	p.Findings = append(p.Findings, findings...)
	p.TXT = append(p.TXT, showTXT(txt, strict == nil && !seed))
	p.Testing = record != nil && slices.Contains(record.Flags, "y")
	switch {
	case key.material() == nil:
		p.Err = noKey("there is no key to compare the record with; see why it could not be read")
	case strict != nil:
		p.Err = strict
	case seed:
		p.Err = malformed("p= holds a PRIVATE key, open to everybody: take the record down, make a new key, and publish its public half")
	default:
		p.Err = record.Match(key)
	}
}

// several judges each of several records, and takes the one that fits.
func (p Published) several(list []string, key *Key) Published {
	best := -1
	var each []Published
	for i, txt := range list {
		var q Published
		q.one(txt, key)
		p.TXT = append(p.TXT, q.TXT...)
		if best < 0 && q.Err == nil {
			best = i
		}
		each = append(each, q)
	}
	fits := "none of them fits the key"
	if best >= 0 {
		fits = "one of them fits the key"
	} else if best = slices.IndexFunc(each, func(q Published) bool { return q.Record != nil }); best < 0 {
		best = 0
	}
	p.Record, p.Testing = each[best].Record, each[best].Testing
	message := fmt.Sprintf("there are %d TXT records at the name, and %s", len(list), fits)
	p.Findings = append(p.Findings, Finding{"record-several", Failure, message, "leave one record at the name; verifiers may take any, or none"})
	p.Findings = append(p.Findings, each[best].Findings...)
	if key.material() == nil {
		p.Err = each[best].Err
		return p
	}
	p.Err = &Error{Kind: ErrSeveral, Reason: message + "; leave one"}
	return p
}

// holdsSeed reports whether the record shows the private half of an Ed25519
// key in place of the public one.
func (r *Record) holdsSeed(key *Key) bool {
	m := key.material()
	return r != nil && m != nil && m.ed != nil && bytes.Equal(r.PublicKey, m.ed.Seed())
}

// showTXT makes a record fit to be shown. Whatever is no public key may be a
// private one, so that of every value but p= of a sound record, and the words
// that records are made of, only a beginning is left that gives nothing away.
// Bytes that do not print become dots.
func showTXT(txt string, sound bool) string {
	txt = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, txt)
	parts := strings.Split(txt, ";")
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			parts[i] = shorten(part)
		case sound && strings.Trim(name, fws) == "p":
		default:
			parts[i] = shorten(name) + "=" + shorten(value)
		}
	}
	return strings.Join(parts, ";")
}

// shorten leaves the first eight characters, which are six bytes of base64.
func shorten(s string) string {
	const limit = 8
	known := true
	for item := range strings.SplitSeq(strings.Trim(s, fws), ":") {
		known = known && slices.Contains([]string{"DKIM1", algRSA, algEd25519, "sha1", "sha256", "email", "*", "y", "s"}, item)
	}
	if known || len(s) <= limit {
		return s
	}
	return fmt.Sprintf("%s… (%d characters)", s[:limit], len(s))
}
