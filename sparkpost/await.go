package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AwaitOptions says how [Await] goes about it. The zero value, or nil, asks SparkPost only.
type AwaitOptions struct {
	// Interval is the pause before the second round; it doubles with each, since DNS answers are kept for as long as their TTL says. 0 means
	// 15 seconds. [Config].Sleep does the waiting.
	Interval time.Duration
	// MaxInterval is the longest pause. 0 means 5 minutes.
	MaxInterval time.Duration
	// Resolver is asked before each round, and SparkPost only for what it found or could not tell. nil asks SparkPost in every round.
	Resolver Resolver
	// Progress is called, from the calling goroutine, after each round. nil means nobody is told.
	Progress func(round int, checks []Check)
}

// Check is one check that a wanted State asks for.
type Check struct {
	// Kind and Key name the resource.
	Kind Kind   `json:"kind"`
	Key  string `json:"key"`
	// What is checked: "dkim", "cname" or "certificate".
	What string `json:"what"`
	// Status is what SparkPost said last.
	Status VerifyStatus `json:"status"`
	// Problem is why SparkPost says so, in its own words; "" when it gave no reason.
	Problem string `json:"problem,omitempty"`
	// DNS is what [AwaitOptions].Resolver answered last; "" when it was not asked.
	DNS string `json:"dns,omitempty"`
	// Asked counts how often SparkPost was asked.
	Asked int `json:"asked"`
}

// String returns one line such as "sending_domain news.shop.example: dkim invalid (no DKIM record found)".
func (c Check) String() string {
	s := fmt.Sprintf("%s %s: %s %s", c.Kind, c.Key, c.What, c.Status)
	var why []string
	for _, part := range []string{c.Problem, c.DNS} {
		if part != "" && c.Status != Valid {
			why = append(why, oneLine(part, 300))
		}
	}
	if len(why) > 0 {
		s += " (" + strings.Join(why, "; ") + ")"
	}
	return s
}

// Await has SparkPost check what want asks to be verified until everything is valid or ctx ends: the DKIM and CNAME records of sending
// domains, additional DKIM keys, the CNAME records of tracking domains and their managed certificates. It changes nothing else, and is
// for the time after [Apply]. What is valid already is not checked again: a check that fails could stop mail that flows.
//
// It begins with the lists that [Read] takes; a round is one request for each sending domain, key and tracking domain that is not valid
// yet. Failures that pass by themselves, and what a target answers to a check over HTTPS, count as not valid yet; others end it, as does a
// resource that is not there or belongs to another owner. The checks are returned in the order of want in any case. When ctx ends first the
// error is of the kind [ErrNotVerified] and of that of ctx, and names what is left.
func Await(ctx context.Context, c *Client, want *State, opts *AwaitOptions) ([]Check, error) {
	if opts == nil {
		opts = &AwaitOptions{}
	}
	interval, longest := opts.Interval, opts.MaxInterval
	setDefault(&interval, 15*time.Second)
	setDefault(&longest, 5*time.Minute)
	if interval < 0 || longest < 0 {
		return nil, errors.New("sparkpost: negative interval in AwaitOptions")
	}
	if err := want.check(); err != nil {
		return nil, err
	}
	have, err := read(ctx, c, want, map[Kind]bool{KindDomain: len(want.Domains) > 0, KindTracking: len(want.Tracking) > 0})
	if err != nil {
		return nil, err
	}
	w := &wait{c: c, have: have, want: want}
	if err := w.begin(); err != nil {
		return w.checks, err
	}
	for round := 1; w.left() > 0; round++ {
		if round > 1 {
			if err := c.api.sleep(ctx, interval); err != nil {
				return w.checks, w.failure(round-1, err)
			}
			interval = min(2*interval, longest)
		}
		err := w.round(ctx, opts.Resolver)
		if opts.Progress != nil {
			opts.Progress(round, slices.Clone(w.checks))
		}
		switch {
		case ctx.Err() != nil && w.left() > 0:
			return w.checks, w.failure(round, ctx.Err())
		case err != nil:
			return w.checks, err
		}
	}
	return w.checks, nil
}

// wait is an Await on its way.
type wait struct {
	c          *Client
	have, want *State
	checks     []Check
	records    []wantedRecord // of each check
	subjects   []subject
}

// wantedRecord is what a check needs in DNS: the record of a key, or a CNAME. The zero value is nothing that is known here.
type wantedRecord struct {
	key     *DKIMKey
	signs   string
	cname   string
	targets []string
	missing bool // by the last answer
}

// subject is what one request checks: a domain, key or tracking domain, with the places of its checks.
type subject struct {
	kind   Kind
	key    string
	owner  int
	domain string // of a key
	id     string
	at     map[string]int // by What
}

func (w *wait) failure(rounds int, cause error) error {
	var first []string
	n := w.left()
	for _, c := range w.checks {
		if c.Status != Valid && len(first) < 3 {
			first = append(first, c.String())
		}
	}
	more := ""
	if n > len(first) {
		more = fmt.Sprintf(" and %d more", n-len(first))
	}
	return fmt.Errorf("sparkpost: %w after %d rounds (%w): %s%s", ErrNotVerified, rounds, cause, strings.Join(first, ", "), more)
}

// left counts what is not valid yet.
func (w *wait) left() int {
	n := 0
	for _, c := range w.checks {
		if c.Status != Valid {
			n++
		}
	}
	return n
}

// begin lists the checks with what SparkPost knows already.
func (w *wait) begin() error {
	region := w.have.Region
	if region == "" {
		region = w.want.Region
	}
	for _, d := range w.want.Domains {
		i := slices.IndexFunc(w.have.Domains, func(h DomainSpec) bool { return h.Name == d.Name })
		if d.VerifyDKIM || d.VerifyCNAME || slices.ContainsFunc(d.Keys, func(k KeySpec) bool { return k.Verify }) {
			if i < 0 || !sameOwner(d.Owner, d.OwnerID, w.have.Domains[i].Owner, w.have.Domains[i].OwnerID) {
				return missing(KindDomain, d.Name, d.Owner, d.OwnerID)
			}
		} else {
			continue
		}
		h := w.have.Domains[i]
		s := subject{kind: KindDomain, key: d.Name, owner: h.OwnerID}
		if d.VerifyDKIM {
			w.add(&s, "dkim", deref(h.Status).DKIM, wantedRecord{key: keyOf(d, h), signs: d.Name})
		}
		if d.VerifyCNAME {
			w.add(&s, "cname", deref(h.Status).CNAME, wantedRecord{cname: d.Name, targets: []string{region.bounceTarget()}})
		}
		w.subjects = append(w.subjects, s)
		for _, k := range d.Keys {
			if !k.Verify {
				continue
			}
			i := slices.IndexFunc(h.Keys, func(h KeySpec) bool { return h.ID == k.ID })
			if i < 0 {
				return missing(KindKey, d.Name+"/"+k.ID, d.Owner, d.OwnerID)
			}
			s := subject{kind: KindKey, key: d.Name + "/" + k.ID, owner: h.OwnerID, domain: d.Name, id: k.ID}
			pair, signs := k.record(d.Name, h.Keys)
			w.add(&s, "dkim", h.Keys[i].Status, wantedRecord{key: pair, signs: signs})
			w.subjects = append(w.subjects, s)
		}
	}
	for _, t := range w.want.Tracking {
		if !t.Verify && !t.ManagedCertificate {
			continue
		}
		i := slices.IndexFunc(w.have.Tracking, func(h TrackingSpec) bool { return h.Name == t.Name })
		if i < 0 || !sameOwner(t.Owner, t.OwnerID, w.have.Tracking[i].Owner, w.have.Tracking[i].OwnerID) {
			return missing(KindTracking, t.Name, t.Owner, t.OwnerID)
		}
		h := w.have.Tracking[i]
		s := subject{kind: KindTracking, key: t.Name, owner: h.OwnerID}
		if t.Verify {
			record := wantedRecord{cname: t.Name, targets: []string{region.trackingTarget(true), region.trackingTarget(false)}}
			if deref(h.Secure) && !t.ManagedCertificate {
				record = wantedRecord{} // it points to a proxy whose name is not known here
			}
			w.add(&s, "cname", trackingVerified(deref(h.Status)), record)
		}
		if t.ManagedCertificate {
			w.add(&s, "certificate", certificateStatus(deref(h.Status), deref(h.Secure)), wantedRecord{})
		}
		w.subjects = append(w.subjects, s)
	}
	return nil
}

func missing(k Kind, key, owner string, id int) error {
	return fmt.Errorf("%w: %s %s is not there for %s; apply first", ErrStale, k, key, ownerText(owner, id))
}

// sameOwner reports whether an owner that is there is the wanted one, by id where one is given.
func sameOwner(name string, id int, haveName string, haveID int) bool {
	if id != 0 || name == "" {
		return id == haveID
	}
	return haveID != 0 && name == haveName
}

func (w *wait) add(s *subject, what string, status VerifyStatus, r wantedRecord) {
	if s.at == nil {
		s.at = map[string]int{}
	}
	if status == "" {
		status = Unverified
	}
	s.at[what] = len(w.checks)
	w.checks = append(w.checks, Check{Kind: s.kind, Key: s.key, What: what, Status: status})
	w.records = append(w.records, r)
}

func trackingVerified(s TrackingStatus) VerifyStatus {
	if s.Verified {
		return Valid
	}
	if s.CNAME == Valid { // the review, for example, is not over
		return Pending
	}
	return s.CNAME
}

// certificateStatus tells how far a managed certificate is; an account that does not show it counts by https.
func certificateStatus(s TrackingStatus, secure bool) VerifyStatus {
	switch {
	case s.TLS == "valid", s.TLS == "" && secure:
		return Valid
	case s.TLS == "failed", s.TLS == "expired":
		return Invalid
	}
	return Pending
}
