package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost/events"
)

// sink takes each event once, as an events.Ledger does.
type sink interface {
	Write(ctx context.Context, list []events.Event, render func(fresh []events.Event, first bool) ([]byte, error)) (int, error)
	end() error // after the last
	Close() error
}

func newSink(env *cli.Env, o *options, h *acct.Header) (sink, error) {
	if o.output != "" {
		return newLedger(o, h)
	}
	s := &stream{w: env.Stdout, header: h, store: events.NewMemory(o.keep)}
	if o.state == "" {
		return s, nil
	}
	ids, err := events.OpenFile(filepath.Join(o.state, "ids"), o.keep)
	if err != nil {
		return nil, err
	}
	s.store, s.ids = ids, ids
	s.columns = filepath.Join(o.state, "columns")
	noted, err := os.ReadFile(s.columns)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(err, ids.Close())
	}
	s.begun = appending(env.Stdout) && bytes.Equal(noted, s.line())
	return s, nil
}

// appending reports whether w is a file that has something already.
func appending(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// ledger writes records to a file.
type ledger struct{ *events.Ledger }

func (ledger) end() error { return nil }

// newLedger opens the file of -o. One that has records must have the same columns: its header line holds for all.
func newLedger(o *options, h *acct.Header) (sink, error) {
	l, err := events.OpenLedger(o.output, filepath.Join(o.state, "ids"), o.keep)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(o.output)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	defer file.Close()
	rd := acct.NewReader(file, o.output, nil)
	if _, err := rd.Next(); err == nil || err == io.EOF {
		if rd.Header() == nil || h.Equal(rd.Header()) {
			return ledger{l}, nil
		}
		return nil, errors.Join(fmt.Errorf("%s has other columns than this mapping makes; move it away, and it is begun anew", o.output), l.Close())
	}
	return nil, errors.Join(fmt.Errorf("%s begins with what is no record", o.output), l.Close())
}

// stream writes records to standard output, and then notes the ids.
type stream struct {
	w       io.Writer
	header  *acct.Header
	store   events.Store
	ids     *events.File // the store, when it is one
	columns string       // the file that has the header line, empty for none
	begun   bool         // the header line is out
}

// Write drops what came before.
func (s *stream) Write(ctx context.Context, list []events.Event, render func([]events.Event, bool) ([]byte, error)) (int, error) {
	var fresh []events.Event
	var ids []string
	here := make(map[string]bool)
	for _, e := range list {
		if e.ID != "" {
			known, err := s.store.Has(ctx, e.ID)
			if err != nil {
				return 0, err
			}
			if known || here[e.ID] {
				continue
			}
			here[e.ID] = true
			ids = append(ids, e.ID)
		}
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	text, err := render(fresh, !s.begun)
	if err != nil {
		return 0, err
	}
	if err := s.put(text); err != nil {
		return 0, err
	}
	return len(fresh), s.store.Add(ctx, ids...)
}

// put writes whole lines, the header line with the first.
func (s *stream) put(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if _, err := s.w.Write(text); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	if !s.begun && s.columns != "" {
		if err := os.WriteFile(s.columns, s.line(), 0o600); err != nil {
			return err
		}
	}
	s.begun = true
	return nil
}

// end writes the header line if there was no record.
func (s *stream) end() error {
	if s.begun {
		return nil
	}
	return s.put(s.line())
}

// line is the header line.
func (s *stream) line() []byte {
	var b bytes.Buffer
	w := acct.NewWriter(&b, s.header)
	if err := w.Flush(); err != nil {
		return nil // a buffer takes all
	}
	return slices.Clip(b.Bytes())
}

func (s *stream) Close() error {
	if s.ids == nil {
		return nil
	}
	return s.ids.Close()
}
