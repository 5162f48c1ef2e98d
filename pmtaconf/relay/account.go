package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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

// secure are the settings that must hold on a relay: the API key never travels in clear, and SparkPost alone signs. The second
// signature is switched off where the configuration makes one somewhere.
func secure(c *pmtaconf.Config) []setting {
	list := []setting{{"use-starttls", "yes"}, {"require-starttls", "yes"}, {"dkim-sign", "no"}}
	for _, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if ok && strings.EqualFold(d.Name(), "second-dkim-sign") && !isNo(d.Value()) {
			return append(list, setting{"second-dkim-sign", "no"})
		}
	}
	return list
}

// Account says how AddAccount reaches SparkPost.
type Account struct {
	// KeyFile is the path of a file for the API key, as an include names it. It is made with mode 0640 and included by the
	// account's <domain>. Empty means "sparkpost-key.conf" beside the main file, or "sparkpost-key.inc" where an include with a
	// wildcard would read that as configuration.
	KeyFile string
	// Key is the API key, with the grant smtp/inject. Empty writes a placeholder for it, with which no mail can be relayed.
	Key string
}

// String names the key file and hides the key, as all its forms do.
func (a Account) String() string { return fmt.Sprintf("account with key file %q", a.KeyFile) }

// GoString is String.
func (a Account) GoString() string { return a.String() }

// Format writes String for every verb.
func (a Account) Format(s fmt.State, _ rune) { fmt.Fprint(s, a.String()) }

// LogValue is String.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON is String, quoted.
func (a Account) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote(a.String())), nil }

// Placeholder stands in the key file when no key was given.
const Placeholder = "PUT-THE-SPARKPOST-API-KEY-HERE"

const keyFileMark = "# relayshift: API key of SparkPost, grant smtp/inject."

// AddAccount makes sure that the top level has a <domain {sparkpost}> with a key, required TLS and no DKIM signing. One that is
// there is kept: what it lacks is added, what contradicts is commented out, and its own auth-password stays; only a [Placeholder]
// in the key file gives way to the key. A new one goes above the first pool, with the key in a file of its own.
//
// ErrUnknown says that the configuration has no pool and no source to put it above, ErrTaken that the key file's name belongs to
// something else, ErrFixed that an included file of the account contradicts or could not be read.
func AddAccount(c *pmtaconf.Config, a Account) error {
	return atomically(c, func() error {
		if list := accounts(c); len(list) > 0 {
			return completeAccount(c, list, a)
		}
		anchor := firstAnchor(c)
		if anchor == nil {
			return fmt.Errorf("relay: a pool or source to put the account above: %w", ErrUnknown)
		}
		key, err := keyFile(c, a)
		if err != nil {
			return err
		}
		s, err := addBlock(above(anchor), accountTitle, "domain", sparkpost)
		if err != nil {
			return err
		}
		if _, err := s.Add("include", c.IncludeValue(key.Name())); err != nil {
			return err
		}
		return add(s, secure(c))
	})
}

// accounts are the top-level <domain {sparkpost}> scopes.
func accounts(c *pmtaconf.Config) []*pmtaconf.Scope {
	var list []*pmtaconf.Scope
	for n := range c.Nodes(nil) {
		s, ok := n.(*pmtaconf.Scope)
		if ok && strings.EqualFold(s.Name(), "domain") && pmtaconf.Unquote(s.Arg()) == sparkpost && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// completeAccount adds to an account that is there what it lacks. It may stand in several scopes.
func completeAccount(c *pmtaconf.Config, list []*pmtaconf.Scope, a Account) error {
	for _, want := range secure(c) {
		found := false
		for _, s := range list {
			for d := range directives(c, &s.Body, want.name) {
				if sameSetting(d.Value(), want.value) {
					found = true
				} else if d.Parent() != &s.Body {
					return fmt.Errorf("relay: account: %w: the included file %s sets %s", ErrFixed, d.Parent().File().Name(), want.name)
				} else if _, err := switchOff(d); err != nil {
					return fmt.Errorf("relay: account: %w", err)
				}
			}
		}
		if !found {
			if err := addMarked(list[0].AtEnd(), want.name, want.value); err != nil {
				return err
			}
		}
	}
	return completeKey(c, list, a)
}

// completeKey makes sure that an account that is there has a key.
func completeKey(c *pmtaconf.Config, list []*pmtaconf.Scope, a Account) error {
	for _, s := range list {
		for d := range directives(c, &s.Body, "auth-password") {
			if f := d.Parent().File(); isKeyFile(f) {
				return fillKey(f, a)
			}
			return nil
		}
	}
	for _, s := range list {
		for d := range directives(c, &s.Body, "include") {
			if len(c.Included(d)) > 0 {
				continue
			}
			if m, err := blockOf(s); err != nil {
				return fmt.Errorf("relay: account: %w", err)
			} else if m == nil && !isOurs(d) {
				return fmt.Errorf("relay: account: %w: %s may hold the key and was not loaded", ErrFixed, d.Value())
			}
			a.KeyFile = d.Value()
			if _, err := keyFile(c, a); !errors.Is(err, fs.ErrExist) { // it may be there and not readable from here
				return err
			}
			return nil
		}
	}
	key, err := keyFile(c, a)
	if err != nil {
		return err
	}
	return addMarked(list[0].AtEnd(), "include", c.IncludeValue(key.Name()))
}

// sameSetting compares values of which some are booleans.
func sameSetting(have, want string) bool {
	if want == "yes" {
		return isYes(have)
	}
	return isNo(have)
}

// keyFile is the file with the API key; it is made when it is not loaded.
func keyFile(c *pmtaconf.Config, a Account) (*pmtaconf.File, error) {
	names := []string{a.KeyFile}
	if a.KeyFile == "" {
		dir := path.Dir(c.Main().Name())
		names = []string{c.IncludeValue(path.Join(dir, "sparkpost-key.conf")), c.IncludeValue(path.Join(dir, "sparkpost-key.inc"))}
	}
	for _, name := range names {
		if f, ok := c.File(name); ok {
			if !isKeyFile(f) {
				return nil, fmt.Errorf("relay: key file %s: %w by a file that holds something else", f.Name(), ErrTaken)
			}
			return f, fillKey(f, a)
		}
		f, err := c.Create(name, 0o640)
		switch {
		case err != nil:
			return nil, fmt.Errorf("relay: key file: %w", err)
		case includedElsewhere(c, f):
			c.Drop(f)
		case len(f.Bytes()) > 0: // one that Remove took out comes back
			return f, fillKey(f, a)
		default:
			return f, writeKey(f, a)
		}
	}
	return nil, fmt.Errorf("relay: key file %s: %w: an include outside the account would read it as configuration", names[0], ErrTaken)
}

// includedElsewhere reports whether an include outside the account stands for the file.
func includedElsewhere(c *pmtaconf.Config, f *pmtaconf.File) bool {
	for scopes, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if ok && slices.Contains(c.Included(d), f) && (len(scopes) == 0 || pmtaconf.Unquote(scopes[0].Arg()) != sparkpost) {
			return true
		}
	}
	return false
}

// writeKey fills a new key file.
func writeKey(f *pmtaconf.File, a Account) error {
	at := f.AtStart()
	for _, line := range []string{keyFileMark, "# Only the mail server should be able to read this file."} {
		if _, err := at.AddComment(line); err != nil {
			return err
		}
	}
	key := a.Key
	if key == "" {
		key = Placeholder
	}
	_, err := at.Add("auth-password", key)
	return err
}

// fillKey puts the key in the place of the placeholder.
func fillKey(f *pmtaconf.File, a Account) error {
	d, ok := f.Directive("auth-password")
	if !ok || a.Key == "" || d.Value() != Placeholder {
		return nil
	}
	return d.SetValue(a.Key)
}

// isKeyFile reports whether writeKey made a file and nothing but the key was put into it since.
func isKeyFile(f *pmtaconf.File) bool {
	made, keys := false, 0
	for n := range f.Nodes() {
		switch n := n.(type) {
		case *pmtaconf.Comment:
			made = made || keys == 0 && n.Text() == keyFileMark
		case *pmtaconf.Directive:
			if !strings.EqualFold(n.Name(), "auth-password") {
				return false
			}
			keys++
		case *pmtaconf.Blank:
		default:
			return false
		}
	}
	return made && keys == 1
}

func add(s *pmtaconf.Scope, settings []setting) error {
	for _, x := range settings {
		if _, err := s.Add(x.name, x.value); err != nil {
			return err
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
