// Inject sends a test message to an SMTP server and shows what was said, as swaks does; or many, and shows how fast they went.
//
//	go run ./examples/inject -server smtp.sparkpostmail.com:587 -from news@shop.example -to me@mail.example \
//		-subaccount 1053 -password-env SPARKPOST_API_KEY -campaign relay-test
//	go run ./examples/inject -server pmta.shop.example:587 ... -header 'X-Virtual-MTA: vmta1' -tls require
//	go run ./examples/inject -server 127.0.0.1:2525 ... -tls off -n 10000 -c 10        # a load
//	go run ./examples/inject -server smtp.sparkpostmail.com:587 -check-tls             # its TLS, and no message
//	pmta trace shop.example/sp-relay | go run ./examples/inject -trace -               # TLS as PowerMTA sees it
//	go run ./examples/inject -audit received.eml -expect-dkim shop.example -expect-return-path bounces.shop.example \
//		-expect-tracking track.shop.example -expect-opens -expect-clicks -expect-tls    # what arrived
//
// The dialogue goes to standard output, what went wrong in it to standard error. It exits with the codes of swaks: 0 when the message was
// accepted, 2 without a connection (and, unlike swaks, for wrong flags), 21 to 32 for the stages, 6 for a connection that was cut. A load
// exits with 0 when all messages were accepted, 1 when some were not, 2 when it could not run; -check-tls and -trace with 1 when there is no
// good TLS, and -audit with 1 when an expectation is not met.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/sparkpost/inject"
)

func main() {
	exit := inject.ExitDone
	code := cli.Run("inject", func(ctx context.Context, env *cli.Env) error {
		var err error
		exit, err = run(ctx, env)
		return err
	})
	if exit != inject.ExitDone {
		code = int(exit)
	}
	os.Exit(code)
}

// run does what the flags say. An exit other than 0 is that of swaks, and all has been said then.
func run(ctx context.Context, env *cli.Env) (inject.Exit, error) {
	o, err := parse(env)
	if err != nil {
		return inject.ExitDone, err
	}
	switch {
	case o.audit.path != "":
		return inject.ExitDone, o.audit.run(ctx, env, o.format)
	case o.trace != "":
		return inject.ExitDone, readTrace(env, o)
	case o.checkTLS:
		return inject.ExitDone, checkTLS(ctx, env, o)
	case o.load.Messages > 0:
		return inject.ExitDone, many(ctx, env, o)
	}
	if o.format == "text" {
		o.server.Trace = func(e inject.Entry) {
			out := env.Stdout
			if e.Direction == inject.Failure {
				out = env.Stderr
			}
			fmt.Fprintln(out, e)
		}
	}
	r, err := inject.Send(ctx, &o.server, o.message())
	if errors.Is(err, inject.ErrInvalid) {
		return inject.ExitDone, plain(err)
	}
	if o.format == "json" {
		if err := writeJSON(env.Stdout, r); err != nil {
			return inject.ExitDone, err
		}
		if err != nil {
			fmt.Fprintln(env.Stderr, err)
		}
	}
	return r.Exit, nil
}

// plain takes the package's name off an error, as the command has the same.
func plain(err error) error {
	var e *inject.Error
	if errors.As(err, &e) && e.Err != nil && e.Stage == inject.AtStart {
		return e.Err
	}
	return err
}

// many sends a load and reports it.
func many(ctx context.Context, env *cli.Env, o *options) error {
	bar := cli.NewProgress(env.Stderr, "messages", o.load.Messages)
	o.load.Progress = func(inject.Progress) { bar.Step() }
	r, err := inject.SendMany(ctx, &o.server, o.message(), o.load)
	bar.Done()
	if errors.Is(err, inject.ErrInvalid) {
		return plain(err)
	}
	write := report
	if o.format == "json" {
		write = func(w io.Writer, r *inject.Report) error { return writeJSON(w, r) }
	}
	if err := write(env.Stdout, r); err != nil {
		return err
	}
	switch {
	case err != nil:
		fmt.Fprintln(env.Stderr, err)
		return cli.ErrFound
	case r.Accepted < o.load.Messages || r.Refused > 0:
		return cli.ErrFound
	}
	return nil
}

// report writes a load's report as text.
func report(w io.Writer, r *inject.Report) error {
	l := r.Latency
	_, err := fmt.Fprintf(w, `accepted     %d
failed       %d
uncertain    %d
unsent       %d
refused      %d recipients of accepted messages
connections  %d
time         %v
rate         %.1f messages a second, %.1f kB a second
latency      least %v, mean %v, 50%% %v, 90%% %v, 95%% %v, 99%% %v, most %v
`, r.Accepted, r.Failed, r.Uncertain, r.Unsent, r.Refused, r.Connections, r.Elapsed, r.Rate(), float64(r.Bytes)/1000/max(r.Elapsed.Seconds(), 1e-9),
		l.Min, l.Mean, l.P50, l.P90, l.P95, l.P99, l.Max)
	if err != nil {
		return err
	}
	for _, e := range r.Errors {
		if _, err := fmt.Fprintf(w, "%7d  %s: %s\n", e.Count, e.Class, e.Example); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
