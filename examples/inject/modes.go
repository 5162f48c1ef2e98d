package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/sparkpost/inject"
)

func (o *options) modeFlags(fs *flag.FlagSet) {
	fs.BoolVar(&o.checkTLS, "check-tls", false, "say what the server's TLS is like, and send nothing")
	fs.StringVar(&o.trace, "trace", "", "read the output of pmta trace from this `file`, and say what its TLS is like; - is standard input")
	a := &o.audit
	fs.StringVar(&a.path, "audit", "", "look at the received message in this `file`, or at all of a Maildir; - is standard input")
	fs.StringVar(&a.keys, "keys", "", "`file` of DKIM records, a line each as 'NAME RECORD', to verify with in the place of DNS")
	fs.Func("expect-dkim", "`domain`, or SELECTOR._domainkey.DOMAIN, that should have signed; may be repeated", func(s string) error {
		a.want.DKIM = append(a.want.DKIM, s)
		return nil
	})
	fs.StringVar(&a.want.ReturnPath, "expect-return-path", "", "bounce `domain`")
	fs.StringVar(&a.want.Tracking, "expect-tracking", "", "tracking `domain`, for the two that follow")
	fs.BoolVar(&a.opens, "expect-opens", false, "the pixel should be there; with =false it should not")
	fs.BoolVar(&a.clicks, "expect-clicks", false, "links should go over the tracking domain; with =false they should not")
	fs.BoolVar(&a.want.TLS, "expect-tls", false, "each hop should have had TLS")
	fs.Func("expect-header", "header `field` as 'Name: value' that should be there; may be repeated", func(s string) error {
		f, err := inject.ParseField(s)
		a.want.Header = append(a.want.Header, f)
		if err != nil {
			return plain(err)
		}
		return nil
	})
	fs.Func("expect-passed", "`method` of Authentication-Results that should have passed, as spf; may be repeated", func(s string) error {
		a.want.Passed = append(a.want.Passed, s)
		return nil
	})
}

// open opens a file; - is standard input.
func open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(name)
}

// checkTLS reports the TLS of a server.
func checkTLS(ctx context.Context, env *cli.Env, o *options) error {
	r, err := inject.CheckTLS(ctx, &o.server)
	switch {
	case errors.Is(err, inject.ErrInvalid):
		return plain(err)
	case r == nil:
		fmt.Fprintln(env.Stderr, err)
		return cli.ErrFound
	}
	if o.format == "json" {
		if err := writeJSON(env.Stdout, r); err != nil {
			return err
		}
	} else if _, err := io.WriteString(env.Stdout, r.String()); err != nil {
		return err
	}
	if err != nil || !r.Verified {
		return cli.ErrFound
	}
	return nil
}

// readTrace reports the TLS in the output of pmta trace.
func readTrace(env *cli.Env, o *options) error {
	in, err := open(o.trace)
	if err != nil {
		return err
	}
	defer in.Close()
	t, err := inject.ParseTrace(in)
	if err != nil {
		return err
	}
	if o.format == "json" {
		if err := writeJSON(env.Stdout, t); err != nil {
			return err
		}
	} else {
		for _, c := range t.Connections {
			fmt.Fprintf(env.Stdout, "%s to %s (%s): ", t.Queue, c.Host, c.IP)
			if c.TLS == nil {
				fmt.Fprintf(env.Stdout, "no TLS %s\n", strings.Join(c.TLSNotes, ", "))
				continue
			}
			fmt.Fprintf(env.Stdout, "%s, %d bits, %s, certificate %s\n", c.TLS.Version, c.TLS.Bits, c.TLS.Cipher, c.TLS.Subject)
		}
	}
	if !t.Secure() {
		fmt.Fprintln(env.Stderr, "not every connection had TLS 1.2 or later")
		return cli.ErrFound
	}
	return nil
}

// audit is the mode that looks at received messages.
type audit struct {
	path, keys    string
	want          inject.Expect
	opens, clicks bool
}

// finish reads the flags that matter only when they are set.
func (a *audit) finish(set map[string]bool) error {
	if set["expect-opens"] {
		a.want.Opens = &a.opens
	}
	if set["expect-clicks"] {
		a.want.Clicks = &a.clicks
	}
	if (set["expect-opens"] || set["expect-clicks"]) && a.want.Tracking == "" {
		return errors.New("-expect-opens and -expect-clicks need -expect-tracking")
	}
	return nil
}

// auditReport is the audit of one message.
type auditReport struct {
	File string `json:"file"`
	*inject.Audit
}

func (a *audit) run(ctx context.Context, env *cli.Env, format string) error {
	lookup, err := a.lookup()
	if err != nil {
		return err
	}
	names, err := messages(a.path)
	if err != nil {
		return err
	}
	ok := true
	var all []auditReport
	for _, name := range names {
		in, err := open(name)
		if err != nil {
			return err
		}
		r, err := inject.AuditMessage(ctx, in, a.want, lookup)
		in.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ok = ok && r.OK()
		all = append(all, auditReport{name, r})
	}
	if format == "json" {
		if err := writeJSON(env.Stdout, all); err != nil {
			return err
		}
	} else {
		for _, r := range all {
			if err := r.text(env.Stdout); err != nil {
				return err
			}
		}
	}
	if !ok {
		return cli.ErrFound
	}
	return nil
}

// text writes what the message shows, and the table of what was expected.
func (r auditReport) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n  from %s, message id %s, return path <%s>\n", r.File, r.From, r.MessageID, r.ReturnPath)
	for _, s := range r.Signatures {
		state := "valid"
		if !s.Valid {
			state = "NOT valid: " + s.Problem
		}
		fmt.Fprintf(w, "  signature of %s, selector %s: %s\n", s.Domain, s.Selector, state)
	}
	fmt.Fprintf(w, "  links to %s; images from %s\n", list(r.Hosts), list(r.Pixels))
	for _, h := range r.Hops {
		tls := h.TLS
		if tls == "" {
			tls = "none"
		}
		fmt.Fprintf(w, "  hop from %s to %s with %s, TLS %s\n", h.From, h.By, h.With, strings.TrimPrefix(tls, "TLS "))
	}
	for _, a := range r.Results {
		fmt.Fprintf(w, "  %s says %s=%s\n", a.Server, a.Method, a.Value)
	}
	return r.WriteChecks(w)
}

func list(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, " ")
}

// messages are the files to look at: the one given, or those in new and cur of a Maildir.
func messages(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var names []string
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(path, sub))
		if err != nil {
			return nil, fmt.Errorf("%s is no Maildir: %w", path, err)
		}
		for _, e := range entries {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, filepath.Join(path, sub, e.Name()))
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no message", path)
	}
	slices.Sort(names)
	return names, nil
}

// lookup finds records in a file; nil is DNS.
func (a *audit) lookup() (inject.LookupTXT, error) {
	if a.keys == "" {
		return nil, nil
	}
	text, err := os.ReadFile(a.keys)
	if err != nil {
		return nil, err
	}
	records := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, record, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not NAME RECORD", a.keys, line)
		}
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		records[name] = append(records[name], strings.TrimSpace(record))
	}
	return func(_ context.Context, name string) ([]string, error) {
		if r := records[strings.ToLower(strings.TrimSuffix(name, "."))]; r != nil {
			return r, nil
		}
		return nil, fmt.Errorf("no record of %s in %s", name, a.keys)
	}, nil
}
