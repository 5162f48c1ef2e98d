package relay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// VMTA describes a relay.
type VMTA struct {
	// Name is the relay's name, which no other VMTA or pool may have, whatever its case.
	Name string
	// Pool is the pool that the relay will join; the relay is put above it.
	Pool string
	// Subaccount is the SparkPost subaccount that the mail belongs to, 0 for the primary account. It becomes part of the user name
	// for SMTP (SMTP_Injection:X-MSYS-SUBACCOUNT=N), so that one API key serves all.
	Subaccount int
	// Pending says that the subaccount is still to be created: a placeholder that SparkPost refuses takes the place of its
	// number. Calling AddVMTA again with the number puts it in; a number that is there is never replaced by the placeholder.
	Pending bool
}

// PendingSubaccount stands in the user name of a relay whose subaccount has no number yet.
const PendingSubaccount = "PUT-THE-SUBACCOUNT-NUMBER-HERE"

func (v VMTA) user() string {
	switch {
	case v.Pending:
		return "SMTP_Injection:X-MSYS-SUBACCOUNT=" + PendingSubaccount
	case v.Subaccount > 0:
		return "SMTP_Injection:X-MSYS-SUBACCOUNT=" + strconv.Itoa(v.Subaccount)
	}
	return "SMTP_Injection"
}

// AddVMTA adds a relay VMTA above its pool, or brings the one that is there to what v says and to what the configuration asks of a
// relay by now. Where a <domain> with a domain-macro moves mail and stands behind the pool, the relay goes above that, because it
// needs the macro too and the guide shows macros before their use only.
//
// ErrUnknown says that there is no such pool, ErrTaken that the name belongs to a VMTA or pool that this package did not make.
func AddVMTA(c *pmtaconf.Config, v VMTA) error {
	known := scan(c, v.Name)
	pool := known.pool(v.Pool)
	switch {
	case pool == nil:
		return fmt.Errorf("relay: pool %s: %w", v.Pool, ErrUnknown)
	case v.Subaccount < 0:
		return fmt.Errorf("relay: subaccount %d: numbers start at 0, the primary account", v.Subaccount)
	}
	if err := checkName(v.Name); err != nil {
		return fmt.Errorf("relay: VMTA: %w", err)
	}
	s := known.vmtas[v.Name]
	if s == nil && known.taken(v.Name) || len(known.named(v.Name)) > 0 {
		return fmt.Errorf("relay: VMTA %s: %w", v.Name, ErrTaken)
	}
	return atomically(c, func() error {
		moves, anchor := movers(c, pool.scope)
		var err error
		if s == nil {
			s, err = addBlock(above(anchor), relayTitle+v.Name, "virtual-mta", v.Name)
		} else {
			err = mine(s, v.Name)
		}
		if err != nil {
			return err
		}
		return complete(c, s, pool.scope, moves, v)
	})
}

// mine reports whether a VMTA was made here.
func mine(s *pmtaconf.Scope, name string) error {
	m, err := blockOf(s)
	switch {
	case err != nil:
		return fmt.Errorf("relay: VMTA %s: %w", name, err)
	case m == nil || m.title != relayTitle+name:
		return fmt.Errorf("relay: VMTA %s: %w by one that was not made here", name, ErrTaken)
	}
	return nil
}

// complete gives a relay the <domain> scopes that it lacks, and its user name.
func complete(c *pmtaconf.Config, s, pool *pmtaconf.Scope, moves map[string][]string, v VMTA) error {
	target, ok := s.Scope("domain", sparkpost)
	if !ok {
		var err error
		if target, err = s.AddScope("domain", sparkpost); err != nil {
			return err
		}
		settings := slices.Concat([]setting{{"auth-username", v.user()}}, secure(c), clears(moves, "*"))
		for range directives(c, &pool.Body, "cold-virtual-mta") {
			settings = append(settings, setting{"max-cold-virtual-mta-msg", "0/d"}) // the pool's cold VMTA gets nothing of it
			break
		}
		if err := add(target, settings); err != nil {
			return err
		}
	} else if _, set := target.Directive("auth-username"); !v.Pending || !set {
		if err := target.Set("auth-username", v.user()); err != nil {
			return fmt.Errorf("relay: VMTA %s: %w", v.Name, err)
		}
	}
	at := pmtaconf.Before(target)
	for _, pattern := range patterns(moves) {
		if _, ok := s.Scope("domain", pattern); ok {
			continue
		}
		d, err := at.AddScope("domain", pattern)
		if err != nil {
			return fmt.Errorf("relay: VMTA %s: %w", v.Name, err)
		}
		if err := add(d, append([]setting{{"queue-to", sparkpost}}, clears(moves, pattern)...)); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses names for new VMTAs and pools that could mean something else at one of the places where they are written: the
// argument of a tag, a value, the result of a pattern.
func checkName(name string) error {
	f, _ := pmtaconf.Parse("", nil)
	_, err := f.AddScope("virtual-mta", name)
	if err == nil && (strings.ContainsAny(name, " \t\"',;=<>|") || strings.ContainsAny(name[:1], "{[$*/") || name == byAddress) {
		err = fmt.Errorf("the name %q: %w: take letters, digits, dots, hyphens and underscores", name, pmtaconf.ErrUnsafe)
	}
	return err
}

// moving are the directives that move mail to another queue.
var moving = []string{"queue-to", "reroute-to-virtual-mta", "backoff-reroute-to-virtual-mta"}

// movers lists, for each domain pattern at the top level and in the pool, the directives there that move mail to another queue.
// The anchor is the scope that a relay for the pool goes above.
func movers(c *pmtaconf.Config, pool *pmtaconf.Scope) (moves map[string][]string, anchor *pmtaconf.Scope) {
	moves = make(map[string][]string)
	collect := func(n pmtaconf.Node) (macro bool) {
		s, ok := n.(*pmtaconf.Scope)
		if !ok || !strings.EqualFold(s.Name(), "domain") || pmtaconf.Unquote(s.Arg()) == sparkpost || s.Arg() == "" {
			return false
		}
		for _, name := range moving {
			for d := range directives(c, &s.Body, name) {
				if v := pmtaconf.Unquote(d.Value()); v == "" {
					continue
				}
				if !slices.Contains(moves[s.Arg()], name) {
					moves[s.Arg()] = append(moves[s.Arg()], name)
				}
				macro = macro || strings.Contains(s.Arg(), "$")
			}
		}
		return macro
	}
	for n := range c.Nodes(nil) {
		if n == pmtaconf.Node(pool) || collect(n) && anchor != nil {
			anchor = n.(*pmtaconf.Scope)
		}
	}
	for n := range c.Nodes(&pool.Body) {
		collect(n)
	}
	return moves, anchor
}

// patterns are the domain patterns that the relay answers for: every domain, and each that moves mail elsewhere, sorted.
func patterns(moves map[string][]string) []string {
	list := []string{"*"}
	for p := range moves {
		if p != "*" {
			list = append(list, p)
		}
	}
	slices.Sort(list[1:])
	return list
}

// clears are the settings that undo the reroutes which a relay would inherit for a pattern.
func clears(moves map[string][]string, pattern string) []setting {
	var list []setting
	for _, name := range moving[1:] {
		if slices.Contains(moves[pattern], name) || slices.Contains(moves["*"], name) {
			list = append(list, setting{name, `""`})
		}
	}
	return list
}
