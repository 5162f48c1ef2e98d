package relay

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// sparkpost is the reserved domain that delivers through SparkPost (guide 3.3.10.99).
const sparkpost = "{sparkpost}"

// setting is a directive with its value.
type setting struct{ name, value string }

// secure are the settings that must hold on a relay: the API key never travels in clear, and SparkPost alone signs.
var secure = []setting{
	{"use-starttls", "yes"},
	{"require-starttls", "yes"},
	{"dkim-sign", "no"},
}

// Account says how AddAccount reaches SparkPost.
type Account struct {
	// KeyFile is the path of a file for the API key, as an include names it. It is made with mode 0640 and included by the
	// account's <domain>. Empty means "sparkpost-key.conf" beside the main file.
	KeyFile string
	// Key is the API key, with the grant smtp/inject. Empty writes a placeholder for it, with which no mail can be relayed.
	Key string
}

// String names the key file and hides the key, as all its forms do.
func (a Account) String() string { return fmt.Sprintf("account with key file %q", a.KeyFile) }

// GoString is String.
func (a Account) GoString() string { return a.String() }

// Placeholder stands in the key file when no key was given.
const Placeholder = "PUT-THE-SPARKPOST-API-KEY-HERE"

const keyFileMark = "# relayshift: API key of SparkPost, grant smtp/inject."

// AddAccount makes sure that the top level has a <domain {sparkpost}> with a key, required TLS and no DKIM signing. One that is
// there is kept: what it lacks is added, what contradicts is commented out, and its own auth-password stays. A new one goes above
// the first pool, with the key in a file of its own.
//
// ErrUnknown says that the configuration has no pool and no source to put it above.
func AddAccount(c *pmtaconf.Config, a Account) error {
	if s := find(c, "domain", sparkpost); s != nil {
		return completeAccount(c, s, a)
	}
	anchor := firstAnchor(c)
	if anchor == nil {
		return fmt.Errorf("relay: a pool or source to put the account above: %w", ErrUnknown)
	}
	key, err := keyFile(c, a)
	if err != nil {
		return err
	}
	at := above(anchor)
	done, err := block(at, "account")
	if err != nil {
		return err
	}
	s, err := at.AddScope("domain", sparkpost)
	if err != nil {
		return err
	}
	if _, err := s.Add("include", c.IncludeValue(key.Name())); err != nil {
		return err
	}
	if err := add(s, secure); err != nil {
		return err
	}
	return done()
}

// completeAccount adds to an account that is there what it lacks.
func completeAccount(c *pmtaconf.Config, s *pmtaconf.Scope, a Account) error {
	for _, want := range secure {
		found := false
		for d := range directives(c, &s.Body, want.name) {
			if sameSetting(d.Value(), want.value) {
				found = true
			} else if _, err := switchOff(d); err != nil {
				return err
			}
		}
		if !found {
			if err := addMarked(s.AtEnd(), want.name, want.value); err != nil {
				return err
			}
		}
	}
	for range directives(c, &s.Body, "auth-password") {
		return nil
	}
	key, err := keyFile(c, a)
	if err != nil {
		return err
	}
	return addMarked(s.AtEnd(), "include", c.IncludeValue(key.Name()))
}

// sameSetting compares values of which some are booleans.
func sameSetting(have, want string) bool {
	if want == "yes" {
		return isYes(have)
	}
	return strings.EqualFold(have, want) || want == "no" && strings.EqualFold(have, "false")
}

// keyFile is the file with the API key; it is made when it is not loaded.
func keyFile(c *pmtaconf.Config, a Account) (*pmtaconf.File, error) {
	name := a.KeyFile
	if name == "" {
		name = c.IncludeValue(path.Join(path.Dir(c.Main().Name()), "sparkpost-key.conf"))
	}
	if f, ok := c.File(name); ok {
		return f, nil
	}
	f, err := c.Create(name, 0o640)
	if err != nil {
		return nil, err
	}
	key := a.Key
	if key == "" {
		key = Placeholder
	}
	at := f.AtStart()
	for _, line := range []string{keyFileMark, "# Only the mail server should be able to read this file."} {
		if _, err := at.AddComment(line); err != nil {
			return nil, err
		}
	}
	if _, err := at.Add("auth-password", key); err != nil {
		c.Drop(f)
		return nil, err
	}
	return f, nil
}

// isKeyFile reports whether keyFile made a file.
func isKeyFile(f *pmtaconf.File) bool {
	for n := range f.Nodes() {
		c, ok := n.(*pmtaconf.Comment)
		return ok && c.Text() == keyFileMark
	}
	return false
}

// VMTA describes a relay.
type VMTA struct {
	// Name is the relay's name, which no other VMTA or pool may have.
	Name string
	// Pool is the pool that the relay will join; the relay is put above it.
	Pool string
	// Subaccount is the SparkPost subaccount that the mail belongs to, 0 for the primary account. It becomes part of the user name
	// for SMTP (SMTP_Injection:X-MSYS-SUBACCOUNT=N), so that one API key serves all.
	Subaccount int
}

// AddVMTA adds a relay VMTA above its pool, or brings the one that is there to what v says. ErrUnknown says that there is no such
// pool, ErrTaken that the name belongs to a VMTA or pool that this package did not make.
func AddVMTA(c *pmtaconf.Config, v VMTA) error {
	inv := Inspect(c)
	pool := inv.Pool(v.Pool)
	switch {
	case pool == nil:
		return fmt.Errorf("relay: pool %s: %w", v.Pool, ErrUnknown)
	case inv.Pool(v.Name) != nil:
		return fmt.Errorf("relay: VMTA %s: %w by a pool", v.Name, ErrTaken)
	case v.Subaccount < 0:
		return fmt.Errorf("relay: subaccount %d: numbers start at 0, the primary account", v.Subaccount)
	}
	user := "SMTP_Injection"
	if v.Subaccount > 0 {
		user += ":X-MSYS-SUBACCOUNT=" + strconv.Itoa(v.Subaccount)
	}
	if s := inv.vmtas[v.Name]; s != nil {
		return setUser(s, v.Name, user)
	}
	at := above(pool.scope)
	done, err := block(at, "relay "+v.Name)
	if err != nil {
		return err
	}
	s, err := at.AddScope("virtual-mta", v.Name)
	if err != nil {
		return err
	}
	moves := movers(c, pool.scope)
	for _, pattern := range patterns(moves) {
		d, err := s.AddScope("domain", pattern)
		if err != nil {
			return err
		}
		if err := add(d, append([]setting{{"queue-to", sparkpost}}, clears(moves, pattern)...)); err != nil {
			return err
		}
	}
	d, err := s.AddScope("domain", sparkpost)
	if err != nil {
		return err
	}
	if err := add(d, slices.Concat([]setting{{"auth-username", user}}, secure, clears(moves, "*"))); err != nil {
		return err
	}
	return done()
}

// setUser changes the user name of a relay that this package made.
func setUser(s *pmtaconf.Scope, name, user string) error {
	lead := s.Parent().LeadingComments(s)
	if len(lead) == 0 || lead[len(lead)-1].Text() != beginMark+"relay "+name {
		return fmt.Errorf("relay: VMTA %s: %w by one that was not made here", name, ErrTaken)
	}
	d, ok := s.Scope("domain", sparkpost)
	if !ok {
		return fmt.Errorf("relay: VMTA %s: its <domain %s> is gone; remove the relay and add it again", name, sparkpost)
	}
	return d.Set("auth-username", user)
}

// AddPool gives a VMTA that sources name as their default a pool of that name, with the VMTA as its only member, and makes those
// sources name the pool. It goes above the first of them. A pool that is there already, made for the same VMTA, is kept.
//
// ErrUnknown says that no source has the VMTA as its default, ErrTaken that the name belongs to something else.
func AddPool(c *pmtaconf.Config, vmta, pool string) error {
	inv := Inspect(c)
	if p := inv.Pool(pool); p != nil && slices.Equal(p.Original, []string{vmta}) {
		return nil
	} else if p != nil || inv.vmtas[pool] != nil {
		return fmt.Errorf("relay: pool %s: %w", pool, ErrTaken)
	}
	var first *pmtaconf.Scope
	for _, s := range inv.Streams {
		if s.Via != "source" || s.Target != vmta {
			continue
		}
		d := s.directive
		owner := d.Parent().Owner()
		if owner == nil {
			return fmt.Errorf("relay: source %s: %w: its default-virtual-mta stands in an included file", s.From, ErrFixed)
		}
		if first == nil {
			first = owner
		}
		if err := addMarked(pmtaconf.Before(d), "default-virtual-mta", pool); err != nil {
			return err
		}
		if _, err := switchOff(d); err != nil {
			return err
		}
	}
	if first == nil {
		return fmt.Errorf("relay: VMTA %s as the default of a source: %w", vmta, ErrUnknown)
	}
	at := above(first)
	done, err := block(at, "pool "+pool)
	if err != nil {
		return err
	}
	s, err := at.AddScope("virtual-mta-pool", pool)
	if err != nil {
		return err
	}
	if _, err := s.Add("virtual-mta", vmta); err != nil {
		return err
	}
	return done()
}

func add(s *pmtaconf.Scope, settings []setting) error {
	for _, x := range settings {
		if _, err := s.Add(x.name, x.value); err != nil {
			return err
		}
	}
	return nil
}

// find is the first top-level scope of that name and argument, through includes.
func find(c *pmtaconf.Config, name, arg string) *pmtaconf.Scope {
	for n := range c.Nodes(nil) {
		if s, ok := n.(*pmtaconf.Scope); ok && strings.EqualFold(s.Name(), name) && pmtaconf.Unquote(s.Arg()) == arg {
			return s
		}
	}
	return nil
}

// firstAnchor is the scope that the account goes above: the first pool, else the first source with a default VMTA.
func firstAnchor(c *pmtaconf.Config) *pmtaconf.Scope {
	inv := Inspect(c)
	if len(inv.Pools) > 0 {
		return inv.Pools[0].scope
	}
	for _, s := range inv.Streams {
		if s.Via == "source" && s.directive.Parent().Owner() != nil {
			return s.directive.Parent().Owner()
		}
	}
	return nil
}

// movers lists, for each domain pattern at the top level and in the pool, the directives there that move mail to another queue.
func movers(c *pmtaconf.Config, pool *pmtaconf.Scope) map[string][]string {
	moves := make(map[string][]string)
	collect := func(n pmtaconf.Node) {
		s, ok := n.(*pmtaconf.Scope)
		if !ok || !strings.EqualFold(s.Name(), "domain") || pmtaconf.Unquote(s.Arg()) == sparkpost {
			return
		}
		for _, name := range []string{"queue-to", "reroute-to-virtual-mta", "backoff-reroute-to-virtual-mta"} {
			for d := range directives(c, &s.Body, name) {
				if pmtaconf.Unquote(d.Value()) != "" && !slices.Contains(moves[s.Arg()], name) {
					moves[s.Arg()] = append(moves[s.Arg()], name)
				}
			}
		}
	}
	for n := range c.Nodes(nil) {
		collect(n)
	}
	for n := range c.Nodes(&pool.Body) {
		collect(n)
	}
	return moves
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
	for _, name := range []string{"reroute-to-virtual-mta", "backoff-reroute-to-virtual-mta"} {
		if slices.Contains(moves[pattern], name) || slices.Contains(moves["*"], name) {
			list = append(list, setting{name, `""`})
		}
	}
	return list
}
