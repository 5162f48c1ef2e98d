package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

// ImportOptions says how [Suppressions.Import] goes about it. nil means the zero value.
type ImportOptions struct {
	// Skip passes over so many rows at the beginning: Done of the report of an import that was cut off.
	Skip int64
	// Type is for rows that name none. "" makes such a row a bad one.
	Type SuppressionType
	// Chunk is the most rows in a request, 1 to 10,000. 0 means 10,000. No request is longer than 50 MB.
	Chunk int
	// AnyOwner takes rows whose SubaccountID is that of another owner. Otherwise they are bad ones, because a list that was exported for
	// one stream should not by mistake stop the mail of another.
	AnyOwner bool
	// Bad is called for every row that cannot be stored, in order, and says what to do: nil leaves the row out and goes on, an error
	// ends the import with that error. A nil Bad ends it at the first bad row. Rows that only the server calls bad are found by
	// sending the rest of their chunk again.
	Bad func(*RowError) error
	// Progress is called after every request that stored rows.
	Progress func(ImportReport)
}

// ImportReport tells exactly how far an import came. Rows are counted from 1 in the order of the sequence.
type ImportReport struct {
	// Done is the last row up to which every one is stored, was left out by Bad, or was skipped. An import that ended early is resumed
	// with Skip set to it.
	Done int64
	// Stored counts the rows up to Done that this import stored, LeftOut those that Bad left out.
	Stored, LeftOut int64
	// Unsure is the last row of the request that failed: rows Done+1 to Unsure may or may not be stored. It equals Done when no row is
	// in doubt. Importing them again does no harm.
	Unsure int64
	// Requests counts the calls made, without the repetitions of the transport.
	Requests int
}

// String returns one line such as "rows 1 to 20000 done (19998 stored, 2 left out), rows 20001 to 30000 in doubt".
func (r ImportReport) String() string {
	s := fmt.Sprintf("rows 1 to %d done (%d stored, %d left out)", r.Done, r.Stored, r.LeftOut)
	if r.Done == 0 {
		s = "no row done"
	}
	if r.Unsure > r.Done {
		s += fmt.Sprintf(", rows %d to %d in doubt", r.Done+1, r.Unsure)
	}
	return s
}

// RowError is about one row of a sequence of suppressions.
type RowError struct {
	// Row counts from 1. Line is the line in a file, 0 when unknown.
	Row  int64
	Line int
	// Recipient is the address in the row, "" when there is none.
	Recipient string
	// Err says what is wrong.
	Err error
}

// Error returns one line with the row.
func (e *RowError) Error() string {
	s := fmt.Sprintf("sparkpost: row %d", e.Row)
	if e.Line > 0 {
		s += fmt.Sprintf(" (line %d)", e.Line)
	}
	return s + ": " + oneLine(e.Err.Error(), 300)
}

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// Import stores the rows of a sequence, in order and in chunks, in memory that does not grow with their number. The report tells how far it
// came, also beside an error. A sequence may yield a [*RowError] for a row that it cannot read, which is a bad row; every other error
// ends the import. [ReadSuppressions] gives a sequence from a file, and [Suppressions.All] of another client one from an account.
//
// Only Recipient, Type, Description and ListID are stored: every entry will have the source [SourceManuallyAdded], of which an account
// can have one million.
func (l *Suppressions) Import(ctx context.Context, rows iter.Seq2[*Suppression, error], o *ImportOptions) (ImportReport, error) {
	im := importer{list: l, ctx: ctx}
	if o != nil {
		im.opts = *o
	}
	setDefault(&im.opts.Chunk, maxBulkSuppressions)
	if n := im.opts.Chunk; n < 1 || n > maxBulkSuppressions || im.opts.Skip < 0 {
		return im.report, l.bulk().refuse(fmt.Errorf("chunks of %d rows after %d; a chunk has 1 to %d", n, im.opts.Skip, maxBulkSuppressions))
	}
	if t := im.opts.Type; t != "" {
		if err := checkSuppressionType(t); err != nil {
			return im.report, l.bulk().refuse(err)
		}
	}
	im.report.Done, im.report.Unsure = im.opts.Skip, im.opts.Skip
	err := im.run(rows)
	return im.report, err
}

// importer is one import. Rows wait in pending until a chunk is full.
type importer struct {
	list    *Suppressions
	ctx     context.Context
	opts    ImportOptions
	report  ImportReport
	pending []pendingRow
	bytes   int   // of the pending rows as JSON
	row     int64 // the last one read
	leftOut []int64
	refusal int // rows in a row that the server refused one by one without naming them
}

type pendingRow struct {
	row  int64
	raw  json.RawMessage
	addr string
}

// bulkFrame bounds what surrounds the rows of a request.
const bulkFrame = 64

func (im *importer) run(rows iter.Seq2[*Suppression, error]) error {
	for s, err := range rows {
		im.row++
		var bad *RowError
		switch {
		case im.ctx.Err() != nil:
			return im.ctx.Err()
		case err != nil && !errors.As(err, &bad):
			return im.end(err)
		case im.row <= im.opts.Skip:
			continue
		case bad == nil && s == nil:
			bad = &RowError{Err: errors.New("row is empty")}
		}
		var p pendingRow
		if bad == nil {
			p, bad = im.prepare(s)
		}
		if bad != nil {
			bad.Row = im.row
			if err := im.bad(bad); err != nil {
				return im.end(err)
			}
			continue
		}
		if len(im.pending) == im.opts.Chunk || im.bytes+len(p.raw)+1 > maxBulkBytes-bulkFrame {
			if err := im.flushUpTo(im.row - 1); err != nil {
				return err
			}
		}
		im.pending = append(im.pending, p)
		im.bytes += len(p.raw) + 1
	}
	if im.row < im.opts.Skip {
		return im.list.bulk().refuse(fmt.Errorf("%d rows to skip, and there are only %d", im.opts.Skip, im.row))
	}
	return im.flush()
}

// prepare encodes a row, or says why it cannot be stored.
func (im *importer) prepare(s *Suppression) (pendingRow, *RowError) {
	e := *s
	setDefault(&e.Type, im.opts.Type)
	err := e.Check()
	if id := im.list.owner(); err == nil && e.SubaccountID != 0 && e.SubaccountID != id && !im.opts.AnyOwner {
		err = fmt.Errorf("it is from the list of subaccount %d", e.SubaccountID)
	}
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(e.body())
	}
	if err != nil {
		return pendingRow{}, &RowError{Recipient: e.Recipient, Err: err}
	}
	return pendingRow{row: im.row, raw: raw, addr: e.Recipient}, nil
}

// owner is the subaccount of the list, 0 for the primary account.
func (l *Suppressions) owner() int { return l.scope.id }

// bad lets the caller decide about a row.
func (im *importer) bad(e *RowError) error {
	if im.opts.Bad == nil {
		return e
	}
	if err := im.opts.Bad(e); err != nil {
		return err
	}
	im.leftOut = append(im.leftOut, e.Row)
	if len(im.pending) == 0 {
		im.settle(e.Row, 0)
	} else if len(im.leftOut) >= im.opts.Chunk { // they may not pile up behind a chunk that does not fill
		return im.flushUpTo(e.Row)
	}
	return nil
}

// end stores what waits before the import ends with err.
func (im *importer) end(err error) error {
	if failed := im.flush(); failed != nil {
		return fmt.Errorf("%w; and the rows before that: %w", err, failed)
	}
	return err
}

// settle moves Done to a row.
func (im *importer) settle(row int64, stored int) {
	im.report.Done = row
	im.report.Unsure = max(im.report.Unsure, row)
	im.report.Stored += int64(stored)
	n := 0
	for n < len(im.leftOut) && im.leftOut[n] <= row {
		n++
	}
	im.report.LeftOut += int64(n)
	im.leftOut = append(im.leftOut[:0], im.leftOut[n:]...)
}

// flush stores what waits. Rows after it that were read and not left out are not done.
func (im *importer) flush() error {
	last := im.report.Done
	if n := len(im.pending); n > 0 {
		last = im.pending[n-1].row
	}
	for _, row := range im.leftOut { // those behind the last one stored
		if row == last+1 {
			last = row
		}
	}
	return im.flushUpTo(last)
}

// flushUpTo stores what waits; every row up to last is in it or was left out.
func (im *importer) flushUpTo(last int64) error {
	if len(im.pending) == 0 {
		return nil
	}
	rows := im.pending
	im.pending, im.bytes = im.pending[:0], 0
	return im.store(rows, last)
}

// store sends rows. When the server refuses them and the caller wants to hear of bad rows, they are found and left out.
func (im *importer) store(rows []pendingRow, last int64) error {
	if len(rows) == 0 {
		if last > im.report.Done {
			im.settle(last, 0)
		}
		return nil
	}
	err := im.send(rows)
	switch {
	case err == nil:
		im.refusal = 0
		im.settle(last, len(rows))
		if im.opts.Progress != nil {
			im.opts.Progress(im.report)
		}
		return nil
	case im.opts.Bad == nil || !refusedRows(err):
		return err
	case len(rows) == 1:
		return im.refused(rows[0], last, err)
	}
	if good, bad := named(rows, err); len(bad) > 0 {
		for _, p := range bad {
			if err := im.leave(p, err); err != nil {
				return err
			}
		}
		return im.store(good, last)
	}
	half := len(rows) / 2 // nothing in the answer names the row
	if err := im.store(rows[:half], rows[half].row-1); err != nil {
		return err
	}
	return im.store(rows[half:], last)
}

// maxRefusals is how many single rows in a row may be refused before it is taken that the server refuses everything.
const maxRefusals = 16

// refused leaves out the only row of a request.
func (im *importer) refused(p pendingRow, last int64, err error) error {
	if im.refusal++; im.refusal > maxRefusals {
		return fmt.Errorf("the server refuses every row: %w", err)
	}
	if err := im.leave(p, err); err != nil {
		return err
	}
	im.settle(last, 0)
	return nil
}

// leave asks the caller about a row that the server refused.
func (im *importer) leave(p pendingRow, err error) error {
	e := &RowError{Row: p.row, Recipient: p.addr, Err: err}
	if err := im.opts.Bad(e); err != nil {
		return err
	}
	at := len(im.leftOut)
	for at > 0 && im.leftOut[at-1] > p.row {
		at--
	}
	im.leftOut = append(im.leftOut, 0)
	copy(im.leftOut[at+1:], im.leftOut[at:])
	im.leftOut[at] = p.row
	return nil
}

// refusedRows reports whether an answer says that rows are bad, and not that the caller or the moment is.
func refusedRows(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity) && !e.HasCode("1502")
}

// named separates the rows that the answer names after a colon, separated by commas (reference: suppression list). Only addresses that
// were sent count.
func named(rows []pendingRow, err error) (good, bad []pendingRow) {
	var e *Error
	errors.As(err, &e)
	names := map[string]bool{}
	for _, it := range e.Items {
		_, list, ok := strings.Cut(it.Message, ":")
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(list, ",") {
			names[strings.TrimSpace(name)] = true
		}
	}
	for _, p := range rows {
		if names[strings.TrimSpace(p.addr)] {
			bad = append(bad, p)
		} else {
			good = append(good, p)
		}
	}
	return good, bad
}

// send makes one request. Until it has succeeded, its rows are in doubt.
func (im *importer) send(rows []pendingRow) error {
	raw := make([]json.RawMessage, len(rows))
	for i, p := range rows {
		raw[i] = p.raw
	}
	c := im.list.bulk()
	c.in = struct {
		Recipients []json.RawMessage `json:"recipients"`
	}{raw}
	im.report.Requests++
	err := im.list.api.do(im.ctx, c)
	var e *Error
	if err != nil && !(errors.As(err, &e) && e.Attempts == 0) {
		im.report.Unsure = max(im.report.Unsure, rows[len(rows)-1].row)
	}
	return err
}
