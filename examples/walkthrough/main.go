// Walkthrough takes the eight test steps of a migration to SparkPost on one machine, with nothing to set up: direct injection, the relay's
// configuration, TLS, injection through PowerMTA, the message that arrives, the spread over the pool, the summary, the events.
//
//	go run ./examples/walkthrough
//	go run ./examples/walkthrough -format json
//	go run ./examples/walkthrough -break starttls      # what a fault looks like
//	go run ./examples/walkthrough -out run             # and keep the files
//
// A stand-in that routes by the embedded configuration takes PowerMTA's place, an SMTP sink that of SparkPost's relay and another one that
// of the recipients' servers, an in-memory API that of the account. Nothing leaves the loopback address.
//
// With -out the folder then has config and sparkpost-key.conf as they were in the end, with a key that is good for nothing, the accounting
// files single.csv (steps 3 to 5), pool.csv (step 6) and events.csv (step 8, of SparkPost's events), and the events themselves in
// events.json. Files that are there already are not replaced.
//
// Each step prints what was checked, and passes or fails for the reason given. It exits with 0 when all steps pass, 1 when one fails, and 2
// when it could not run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
)

func main() { cli.Main("walkthrough", run) }

// breaks are the faults that -break brings in.
var breaks = []struct{ name, means string }{
	{"starttls", "SparkPost's relay does not offer STARTTLS"},
	{"certificate", "SparkPost's relay shows a certificate for another name"},
	{"key", "the configuration has another API key than the account"},
	{"signing", "PowerMTA signs what it relays, too"},
	{"user", "the message generation has a wrong password"},
	{"dkim", "DNS has another DKIM key than the one that signs"},
	{"bounce", "SparkPost uses a bounce domain of its own"},
	{"tracking", "links go to another tracking domain"},
	{"share", "the pool has another number of relay lines than planned"},
	{"repeats", "PowerMTA serves each name of a pool once, whatever its lines"},
	{"pool", "the configuration names another IP pool than that of the subaccount"},
	{"events", "the events of a message never come"},
}

func run(ctx context.Context, env *cli.Env) error {
	fs := env.Flags("walkthrough", "[flags]", "Take the test steps of a migration on one machine.")
	format := fs.String("format", "text", "`form` of the result: text or json")
	var names, about []string
	for _, b := range breaks {
		names = append(names, b.name)
		about = append(about, "\n"+b.name+": "+b.means)
	}
	fault := fs.String("break", "", "`fault` to bring in:"+strings.Join(about, ""))
	n := fs.Int("n", 200, "`number` of messages for the spread, 100 to 5000; a tenth is relayed, and the first stage of the IP's warm-up allows 200")
	out := fs.String("out", "", "`folder` for the files of the run; it is made when it is not there")
	if err := fs.Parse(env.Args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case *format != "text" && *format != "json":
		return fmt.Errorf("-format %s: text or json", *format)
	case *fault != "" && !slices.Contains(names, *fault):
		return fmt.Errorf("-break %s: one of %s", *fault, strings.Join(names, ", "))
	case *n < 100 || *n > 5000:
		return errors.New("-n is 100 to 5000")
	}
	if *out != "" {
		if err := vacant(*out); err != nil {
			return err
		}
	}
	w, err := newWorld(ctx, env, *fault, *n)
	if err != nil {
		return err
	}
	defer w.close()
	result, err := w.walk(ctx)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := w.keep(*out); err != nil {
			return err
		}
	}
	if *format == "json" {
		enc := json.NewEncoder(env.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(result)
	} else {
		err = result.write(env.Stdout)
	}
	if err == nil && !result.Passed {
		err = cli.ErrFound
	}
	return err
}

// outcome is the result of all steps.
type outcome struct {
	Passed bool    `json:"passed"`
	Broken string  `json:"broken,omitempty"` // of -break
	Steps  []*step `json:"steps"`
}

// step is one of the eight.
type step struct {
	Number int       `json:"number"`
	Name   string    `json:"name"`
	Passed bool      `json:"passed"`
	Checks []finding `json:"checks"`
}

// finding is a thing that was looked at.
type finding struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"` // what was found, and what was wanted where that differs
}

// check notes what was found, and returns whether it is right.
func (s *step) check(name string, ok bool, format string, args ...any) bool {
	s.Checks = append(s.Checks, finding{name, ok, strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")})
	s.Passed = s.Passed && ok
	return ok
}

// equal notes that a value is the one wanted.
func equal[T comparable](s *step, name string, got, want T) bool {
	if got == want {
		return s.check(name, true, "%v", got)
	}
	return s.check(name, false, "%v, want %v", got, want)
}

// walk takes the steps. A step that fails does not keep the next ones from being taken. The error is for what cannot be run.
func (w *world) walk(ctx context.Context) (*outcome, error) {
	result := &outcome{Passed: true, Broken: w.fault}
	for i, s := range []struct {
		name string
		run  func(context.Context, *step) error
	}{
		{"message injection direct to SparkPost", w.direct},
		{"relay set up for one pool", w.setUp},
		{"STARTTLS between PowerMTA and SparkPost", w.startTLS},
		{"message injection into PowerMTA", w.injection},
		{"end to end: the message that arrives", w.endToEnd},
		{"load sharing within the pool", w.spread},
		{"summary: relayed traffic by subaccount, IP pool and IP", w.summary},
		{"event reporting", w.reporting},
	} {
		st := &step{Number: i + 1, Name: s.name, Passed: true}
		if err := s.run(ctx, st); err != nil {
			return nil, fmt.Errorf("step %d: %w", st.Number, err)
		}
		result.Steps = append(result.Steps, st)
		result.Passed = result.Passed && st.Passed
	}
	return result, nil
}

func (o *outcome) write(w io.Writer) error {
	failed := 0
	for _, s := range o.Steps {
		mark := "pass"
		if !s.Passed {
			mark = "FAIL"
			failed++
		}
		if _, err := fmt.Fprintf(w, "%s  %d. %s\n", mark, s.Number, s.Name); err != nil {
			return err
		}
		for _, c := range s.Checks {
			mark := "ok  "
			if !c.Passed {
				mark = "FAIL"
			}
			if _, err := fmt.Fprintf(w, "      %s  %-24s %s\n", mark, c.Name, c.Detail); err != nil {
				return err
			}
		}
	}
	text := "all steps pass"
	if failed > 0 {
		text = fmt.Sprintf("%d of %d steps fail", failed, len(o.Steps))
	}
	_, err := fmt.Fprintf(w, "\n%s\n", text)
	return err
}
