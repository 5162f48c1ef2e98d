// Package cli holds what the example commands share: their exit codes, their way to run, and how they write to a terminal.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Exit codes of every command.
const (
	ExitDone  = 0 // done
	ExitFound = 1 // found something wrong
	ExitError = 2 // could not run
)

// ErrFound is what a command returns when it ran and found something wrong. It has said what already.
var ErrFound = errors.New("found something wrong")

// Env is what a command sees of the world.
type Env struct {
	Args           []string            // without the command's name
	Stdin          io.Reader           // for commands that read it
	Stdout, Stderr io.Writer           // results; errors and progress
	Getenv         func(string) string // the environment
	Now            func() time.Time    // the clock
}

// Main runs a command with the process's environment and exits with its code. An interrupt cancels the context.
func Main(name string, run func(context.Context, *Env) error) { os.Exit(Run(name, run)) }

// Run is Main without the exit.
func Run(name string, run func(context.Context, *Env) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, &Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now})
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return ExitDone
	case errors.Is(err, ErrFound):
		return ExitFound
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return ExitError
}

// Flags makes a flag set whose help goes to e.Stderr under the usage line and text given.
func (e *Env) Flags(name, usage, about string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(e.Stderr)
	fs.Usage = func() {
		fmt.Fprintf(e.Stderr, "usage: %s %s\n\n%s\n\n", name, usage, about)
		fs.PrintDefaults()
	}
	return fs
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colour reports whether output to e.Stdout may be coloured: it is a terminal, and NO_COLOR is not set.
func (e *Env) Colour() bool { return e.Getenv("NO_COLOR") == "" && IsTerminal(e.Stdout) }
