package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
)

// origin is where a key line stands.
type origin struct {
	where  string   // file:line of the first one
	scopes []string // that hold it
}

// lines collects the key lines of a configuration by the scope they stand in.
type lines struct {
	scopes  []string // in the order of the file, "" for the global ones
	byScope map[string]dkim.KeyLines
	origins map[dkim.KeyLine]*origin
}

func newLines() *lines {
	return &lines{byScope: make(map[string]dkim.KeyLines), origins: make(map[dkim.KeyLine]*origin)}
}

func (l *lines) add(scope, where string, line dkim.KeyLine) {
	if _, ok := l.byScope[scope]; !ok {
		l.scopes = append(l.scopes, scope)
	}
	l.byScope[scope] = append(l.byScope[scope], line)
	o := l.origins[line]
	if o == nil {
		o = &origin{where: where}
		l.origins[line] = o
	}
	name := scope
	if name == "" {
		name = "global"
	}
	if !slices.Contains(o.scopes, name) {
		o.scopes = append(o.scopes, name)
	}
}

// listScope begins the name of a domain-key-list, whose keys are searched alone (guide 3.3.19).
const listScope = "domain-key-list "

// expand gives every line once, those with * expanded as they apply in their scope: its own lines before the global ones.
func (l *lines) expand(domains []string) dkim.KeyLines {
	var out dkim.KeyLines
	seen := make(map[dkim.KeyLine]bool)
	needed := make(map[dkim.KeyLine]bool) // wildcards that a domain needs in some scope
	var idle dkim.KeyLines
	for _, scope := range l.scopes {
		set := slices.Clone(l.byScope[scope])
		if scope != "" && !strings.HasPrefix(scope, listScope) {
			set = append(set, l.byScope[""]...)
		}
		for _, line := range set.Expand(domains) {
			if line.Domain == "*" {
				idle = append(idle, line)
				continue
			}
			if l.origins[line] == nil {
				star := line
				star.Domain = "*"
				needed[star] = true
				l.origins[line] = l.origins[star]
			}
			if !seen[line] {
				seen[line] = true
				out = append(out, line)
			}
		}
	}
	for _, line := range idle {
		if !needed[line] && !seen[line] {
			seen[line] = true
			out = append(out, line)
		}
	}
	return out
}

// load reads the keys and judges them.
func (o *options) load(env *cli.Env, r *report) error {
	load := &dkim.LoadOptions{Passphrase: o.passphrase, Now: env.Now(), MaxAge: o.maxAge}
	found := newLines()
	var files fs.FS
	if o.config != "" {
		c, dir, err := cli.Open(o.config, o.root)
		if err != nil {
			return err
		}
		defer dir.Close()
		if n := errorsIn(c.Diagnostics()); n > 0 {
			r.Problems = append(r.Problems, fmt.Sprintf("the configuration has %d errors, so that keys may be missing here; pmtacheck shows them", n))
		}
		fromConfig(c, found, r)
		files, load.Path = dir.FS(), c.Path
	} else {
		if err := o.fromFlags(found); err != nil {
			return err
		}
		files, load.Path = os.DirFS("/"), fromRoot
	}
	entries := dkim.LoadKeys(files, found.expand(o.domains), load)
	bar := cli.NewProgress(env.Stderr, "keys", len(entries))
	r.judge(entries, found, o.policies, bar)
	bar.Done()
	return nil
}

// fromConfig collects the domain-key lines. One that cannot be understood becomes a row of its own.
func fromConfig(c *pmtaconf.Config, found *lines, r *report) {
	for path, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || !strings.EqualFold(d.Name(), "domain-key") {
			continue
		}
		scope := ""
		if len(path) > 0 {
			s := path[len(path)-1]
			scope = strings.ToLower(s.Name()) + " " + pmtaconf.Unquote(s.Arg())
		}
		where := fmt.Sprintf("%s:%d", d.Parent().File().Name(), d.Pos().Line)
		line, err := dkim.ParseKeyLine(d.Value())
		if err != nil {
			r.Keys = append(r.Keys, &keyReport{Where: where, UsedBy: []string{scope}, Error: err.Error()})
			continue
		}
		found.add(scope, where, line)
	}
}

// fromFlag is where keys come from that no configuration names.
const fromFlag = "-key"

func (o *options) fromFlags(found *lines) error {
	for _, value := range o.keys {
		line, err := dkim.ParseKeyLine(value)
		if err != nil {
			return fmt.Errorf("-key: %w", err)
		}
		found.add("", fromFlag, line)
	}
	return nil
}

// fromRoot gives the name of a file below the root of the machine, so that all directories above it are judged.
func fromRoot(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel("/", abs)
	if err != nil {
		return "", errors.New("the file does not lie below /")
	}
	return filepath.ToSlash(rel), nil
}

// judge makes a row of every entry.
func (r *report) judge(entries []dkim.Entry, found *lines, policies []dkim.Policy, bar *cli.Progress) {
	together := dkim.CheckSet(entries)
	judged := make(map[*dkim.Key][]dkim.Finding)
	for i, e := range entries {
		bar.Step()
		k := &keyReport{Selector: e.Line.Selector, Domain: e.Line.Domain, File: e.Line.File, entry: e}
		if o := found.origins[e.Line]; o != nil {
			k.Where, k.UsedBy = o.where, o.scopes
			if k.Where == fromFlag {
				k.UsedBy = nil
			}
		}
		if e.Err != nil {
			k.Error = e.Err.Error()
			if errors.Is(e.Err, fs.ErrNotExist) {
				k.Error = "the file is not at hand: run this where it can be read, or give the server's root with -root"
				if k.Where == fromFlag {
					k.Error = "there is no such file; check its name"
				}
			}
			r.Keys = append(r.Keys, k)
			continue
		}
		k.Algorithm, k.Bits, k.Fingerprint = e.Key.Algorithm(), e.Key.Bits(), e.Key.Fingerprint()
		list, ok := judged[e.Key]
		if !ok {
			list = append(e.Key.Check(policies...), e.Key.CheckPrimes()...)
			judged[e.Key] = list
		}
		k.Findings = slices.Concat(list, e.Findings, together[i])
		r.Keys = append(r.Keys, k)
	}
}

func errorsIn(list pmtaconf.ErrorList) int {
	n := 0
	for _, d := range list {
		if d.Severity == pmtaconf.Error {
			n++
		}
	}
	return n
}
