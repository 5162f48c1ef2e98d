package dkim

import (
	"fmt"
	"strings"
)

// SparkPostDomain is a sending domain to be created at SparkPost, with its
// keys.
type SparkPostDomain struct {
	// Domain is the sending domain, in lower case; "*" collects the wildcard
	// keys for which no sending domain is known.
	Domain string
	// Keys are its keys in the order in which PowerMTA looks for them. Those
	// with an Err are left behind.
	Keys []SparkPostKey
}

// SparkPostKey is one key of a sending domain. It holds no private numbers;
// [Key.SparkPostPair] of Entry.Key gives them.
type SparkPostKey struct {
	// ID is "default" for the key in the dkim object of the domain, at most one
	// of each, and else the id for its dkim-keys resource. It is "" for a key
	// that cannot be moved.
	ID string
	// Selector is the s= tag.
	Selector string
	// SigningDomain is the d= tag where it is not the sending domain itself:
	// PowerMTA signs with the key of a parent domain. SparkPost does so for an
	// additional key only, and only in messages that name it in
	// options.dkim_key.
	SigningDomain string
	// Entry is the entry the key comes from.
	Entry Entry
	// Err says why the key cannot be moved: the error of the entry or of
	// SparkPostPair, [ErrMalformed] for a wildcard without domains,
	// [ErrMismatch] when another key has the same selector and domain.
	Err error
}

// maxDomainKeys is how many keys SparkPost keeps for a domain beside the
// default one.
const maxDomainKeys = 256

// PlanSparkPost sorts the keys of a set by the sending domains they move with.
// The first key of a domain that can be moved becomes its default one, further
// selectors become additional ones. Domains come in the order in which they are
// first named, then those of sendingDomains that are signed for by a parent.
//
// Lines with "*" are expanded to those of the sendingDomains that they sign
// for, as by [KeyLines.Expand]. Entries that say the same twice count once.
func PlanSparkPost(entries []Entry, sendingDomains []string) []SparkPostDomain {
	lines := make(KeyLines, len(entries))
	for i, e := range entries {
		lines[i] = e.Line
	}
	p := &mover{index: make(map[string]int), ids: make(map[string]bool), owner: make(map[string]string)}
	for _, e := range lines.expand(sendingDomains) {
		p.add(canonicalDomain(e.domain), "", entries[e.line])
	}
	for _, d := range sendingDomains {
		if d = canonicalDomain(d); checkName("domain", d) == nil {
			p.parents(d, entries)
		}
	}
	return p.domains
}

// mover is the working of PlanSparkPost.
type mover struct {
	domains []SparkPostDomain
	index   map[string]int    // of domains
	ids     map[string]bool   // ID and domain
	owner   map[string]string // fingerprint by selector and signing domain
}

// parents adds the key of a parent that signs for a domain without an earlier
// one: the first in order that can be moved, and those before it.
func (p *mover) parents(domain string, entries []Entry) {
	for _, e := range entries {
		signing := canonicalDomain(e.Line.Domain)
		switch {
		case signing == "*" || signing == domain:
			return
		case signing != "" && strings.HasSuffix(domain, "."+signing) && p.add(domain, signing, e):
			return
		}
	}
}

// add adds a key to a domain, and reports whether the domain has it now.
func (p *mover) add(domain, signing string, e Entry) bool {
	at, ok := p.index[domain]
	if !ok {
		at = len(p.domains)
		p.index[domain] = at
		p.domains = append(p.domains, SparkPostDomain{Domain: domain})
	}
	d := &p.domains[at]
	k := SparkPostKey{Selector: e.Line.Selector, SigningDomain: signing, Entry: e}
	name := strings.ToLower(k.Selector) + " " + signing + " " + domain
	held, twice := p.owner[name]
	switch {
	case e.Err != nil:
		k.Err = e.Err
	case e.Key.material() == nil:
		k.Err = noKey("nothing to move; read a key first")
	case twice && held == e.Key.Fingerprint():
		return true
	case twice:
		k.Err = mismatch("another key is named for this selector and domain before; find out which one DNS shows")
	case domain == "*":
		k.Err = malformed("the key signs for whichever domain sends; name the sending domains")
	default:
		k.Err = e.movable()
	}
	if k.Err == nil {
		p.owner[name] = e.Key.Fingerprint()
		k.ID, k.Err = p.id(d, k)
	}
	d.Keys = append(d.Keys, k)
	return k.Err == nil
}

// movable returns why the key of an entry cannot be moved, nil when it can.
func (e Entry) movable() error {
	if _, _, err := e.Key.SparkPostPair(); err != nil {
		return err
	}
	return checkName("selector", e.Line.Selector)
}

// id chooses the id of a key: 1 to 64 letters, digits, hyphens and underscores,
// the first one a letter or digit, no two alike in a domain.
func (p *mover) id(d *SparkPostDomain, k SparkPostKey) (string, error) {
	const reserved = "default"
	if k.SigningDomain == "" && !p.ids[reserved+" "+d.Domain] {
		p.ids[reserved+" "+d.Domain] = true
		return reserved, nil
	}
	more := 0
	for _, other := range d.Keys {
		if other.ID != "" && other.ID != reserved {
			more++
		}
	}
	if more == maxDomainKeys {
		return "", unsupported(fmt.Sprintf("SparkPost keeps %d additional keys for a domain; leave out those that no longer sign", maxDomainKeys))
	}
	base := strings.TrimLeft(strings.Map(func(r rune) rune {
		if r == '.' || r == '*' {
			return '-'
		}
		return r
	}, k.Selector), "-_")
	if base == "" || base == reserved {
		base = "key-" + base
	}
	base = base[:min(len(base), 56)]
	id := base
	for n := 2; p.ids[id+" "+d.Domain]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	p.ids[id+" "+d.Domain] = true
	return id, nil
}
