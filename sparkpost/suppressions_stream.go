package sparkpost

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// SuppressionFormat is a file format for suppression lists.
type SuppressionFormat string

const (
	// SuppressionCSV is comma-separated text (RFC 4180) whose first line names the columns, in any order: recipient, and if wanted type,
	// description, list_id, and the read-only source, created, updated and subaccount_id.
	SuppressionCSV SuppressionFormat = "csv"
	// SuppressionJSON is what the API speaks: an object with a member "recipients", as in a request, or "results", as in an answer,
	// that holds an array of entries. An array alone is read too. It is written as "recipients", one entry a line.
	SuppressionJSON SuppressionFormat = "json"
)

// suppressionColumns are the columns of a file, as they are written.
var suppressionColumns = [...]string{"recipient", "type", "description", "list_id", "source", "created", "updated", "subaccount_id"}

func (s *Suppression) column(name string) string {
	switch name {
	case "recipient":
		return s.Recipient
	case "type":
		return string(s.Type)
	case "description":
		return s.Description
	case "list_id":
		return s.ListID
	case "source":
		return s.Source
	case "created":
		return s.Created
	case "updated":
		return s.Updated
	case "subaccount_id":
		if s.SubaccountID != 0 {
			return strconv.Itoa(s.SubaccountID)
		}
	}
	return ""
}

// setColumn takes a field of a CSV file. Blanks around all but the description do not count.
func (s *Suppression) setColumn(name, v string) (err error) {
	if name == "description" {
		s.Description = v
		return nil
	}
	v = strings.TrimSpace(v)
	switch name {
	case "recipient":
		s.Recipient = v
	case "type":
		s.Type = SuppressionType(v)
	case "list_id":
		s.ListID = v
	case "source":
		s.Source = v
	case "created":
		s.Created = v
	case "updated":
		s.Updated = v
	case "subaccount_id":
		if v != "" {
			if s.SubaccountID, err = strconv.Atoi(v); err != nil {
				return fmt.Errorf("subaccount_id %q is no number", oneLine(v, 40))
			}
		}
	}
	return nil
}

// WriteSuppressions writes a sequence, such as that of [Suppressions.All], entry by entry, and returns how many were written. After an
// error the output ends behind the last whole entry, and what the format needs at the end is missing, so that the file cannot be taken
// for a complete one: a JSON document stays open, and a CSV file keeps no mark, which the error is there for. progress is called after
// every entry; nil for none. Deprecated members and Extra go into JSON only.
func WriteSuppressions(w io.Writer, f SuppressionFormat, seq iter.Seq2[*Suppression, error], progress func(entries int64)) (int64, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	var enc suppressionEncoder
	switch f {
	case SuppressionCSV:
		enc = &csvEncoder{w: csv.NewWriter(out)}
	case SuppressionJSON:
		enc = &jsonEncoder{w: out}
	default:
		return 0, fmt.Errorf("sparkpost: unknown format %q of suppressions", f)
	}
	n := int64(0)
	err := enc.begin()
	if err == nil {
		for s, failed := range seq {
			if err = failed; err != nil {
				break
			}
			if err = enc.entry(s, n); err != nil {
				break
			}
			n++
			if progress != nil {
				progress(n)
			}
		}
	}
	if err == nil {
		err = enc.end()
	}
	return n, firstError(err, enc.flush(), out.Flush())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

type suppressionEncoder interface {
	begin() error
	entry(s *Suppression, n int64) error
	end() error
	flush() error
}

type csvEncoder struct {
	w      *csv.Writer
	fields []string
}

func (e *csvEncoder) begin() error { return e.w.Write(suppressionColumns[:]) }

func (e *csvEncoder) entry(s *Suppression, _ int64) error {
	e.fields = e.fields[:0]
	for _, name := range suppressionColumns {
		e.fields = append(e.fields, s.column(name))
	}
	return e.w.Write(e.fields)
}

func (e *csvEncoder) end() error { return nil }

func (e *csvEncoder) flush() error {
	e.w.Flush()
	return e.w.Error()
}

type jsonEncoder struct{ w *bufio.Writer }

func (e *jsonEncoder) begin() error {
	_, err := e.w.WriteString(`{"recipients":[`)
	return err
}

func (e *jsonEncoder) entry(s *Suppression, n int64) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	sep := ",\n"
	if n == 0 {
		sep = "\n"
	}
	if _, err := e.w.WriteString(sep); err != nil {
		return err
	}
	_, err = e.w.Write(raw)
	return err
}

func (e *jsonEncoder) end() error {
	_, err := e.w.WriteString("\n]}\n")
	return err
}

func (e *jsonEncoder) flush() error { return nil }

// maxEntry is the most that one entry of a file may take, with what surrounds it.
const maxEntry = 1 << 20

// ReadSuppressions reads entries one by one, in memory that does not grow with their number. An entry that cannot be read is a [*RowError],
// after which the sequence goes on; after any other error it ends: a first line that does not name the columns, broken JSON, a file
// that ends early, an entry of more than a mebibyte. Whether entries make sense is not judged: see [Suppression.Check]. The sequence can be
// ranged over once, because r can be read once.
func ReadSuppressions(r io.Reader, f SuppressionFormat) iter.Seq2[*Suppression, error] {
	return func(yield func(*Suppression, error) bool) {
		in := &meter{r: r}
		in.reset()
		var err error
		switch f {
		case SuppressionCSV:
			err = readCSV(in, yield)
		case SuppressionJSON:
			err = readJSON(in, yield)
		default:
			err = fmt.Errorf("unknown format %q", f)
		}
		if err != nil && err != errStopped {
			yield(nil, fmt.Errorf("sparkpost: suppressions: %w", err))
		}
	}
}

// errStopped says that the loop over a sequence was left.
var errStopped = errors.New("stopped")

// meter fails when one entry takes too much.
type meter struct {
	r    io.Reader
	left int
}

// reset begins an entry. The readers above fetch ahead, by no more than they fetched before.
func (m *meter) reset() { m.left = maxEntry + 64<<10 }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("an entry takes more than %d bytes", maxEntry)
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

func readCSV(in *meter, yield func(*Suppression, error) bool) error {
	br := bufio.NewReaderSize(in, 64<<10)
	if bom, err := br.Peek(3); err == nil && bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		br.Discard(3)
	}
	cr := csv.NewReader(br)
	cr.FieldsPerRecord = -1
	cr.ReuseRecord = true
	first, err := cr.Read()
	if err == io.EOF {
		return errors.New("file is empty: the first line must name the columns")
	}
	if err != nil {
		return err
	}
	columns, err := readColumns(first)
	if err != nil {
		return err
	}
	for row := int64(1); ; row++ {
		in.reset()
		fields, err := cr.Read()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		line, _ := cr.FieldPos(0)
		s, err := rowOf(columns, fields)
		if err != nil {
			s, err = nil, &RowError{Row: row, Line: line, Recipient: recipientOf(columns, fields), Err: err}
		}
		if !yield(s, err) {
			return errStopped
		}
	}
}

func readColumns(first []string) ([]string, error) {
	columns := make([]string, len(first))
	seen := map[string]bool{}
	for i, name := range first {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case !isColumn(name):
			return nil, fmt.Errorf("first line: unknown column %q; there are %s", oneLine(name, 60), strings.Join(suppressionColumns[:], ", "))
		case seen[name]:
			return nil, fmt.Errorf("first line: column %s occurs twice", name)
		}
		seen[name], columns[i] = true, name
	}
	if !seen["recipient"] {
		return nil, errors.New("first line: column recipient is missing")
	}
	return columns, nil
}

func isColumn(name string) bool {
	for _, c := range suppressionColumns {
		if c == name {
			return true
		}
	}
	return false
}

func rowOf(columns, fields []string) (*Suppression, error) {
	if len(fields) != len(columns) {
		return nil, fmt.Errorf("%d fields, and the first line names %d columns", len(fields), len(columns))
	}
	s := &Suppression{}
	for i, name := range columns {
		if err := s.setColumn(name, fields[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func recipientOf(columns, fields []string) string {
	for i, name := range columns {
		if name == "recipient" && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
	}
	return ""
}

func readJSON(in *meter, yield func(*Suppression, error) bool) error {
	dec := json.NewDecoder(in)
	inObject, err := findEntries(dec)
	if err != nil {
		return notEOF(err)
	}
	for row := int64(1); dec.More(); row++ {
		in.reset()
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return notEOF(err)
		}
		s := &Suppression{}
		err := json.Unmarshal(raw, s)
		if err == nil && bytes.Equal(raw, []byte("null")) {
			err = errors.New("entry is null")
		}
		if err != nil {
			s, err = nil, &RowError{Row: row, Err: err}
		}
		if !yield(s, err) {
			return errStopped
		}
	}
	in.reset()
	if _, err := dec.Token(); err != nil { // the end of the array
		return notEOF(err)
	}
	for inObject && dec.More() { // other members
		in.reset()
		name, err := dec.Token()
		if err != nil {
			return notEOF(err)
		}
		if name == "recipients" || name == "results" {
			return fmt.Errorf("a second list, %q", name)
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return notEOF(err)
		}
	}
	if inObject {
		if _, err := dec.Token(); err != nil {
			return notEOF(err)
		}
	}
	if t, err := dec.Token(); err != io.EOF {
		return firstError(err, fmt.Errorf("%v after the end of the list", t))
	}
	return nil
}

// notEOF makes an end that comes too early an error of its own.
func notEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// findEntries reads up to the first entry.
func findEntries(dec *json.Decoder) (inObject bool, err error) {
	t, err := dec.Token()
	switch {
	case err != nil:
		return false, err
	case t == json.Delim('['):
		return false, nil
	case t != json.Delim('{'):
		return false, errors.New("neither an object nor an array")
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return true, err
		}
		if name == "recipients" || name == "results" {
			t, err := dec.Token()
			if err == nil && t != json.Delim('[') {
				err = fmt.Errorf("%s is no array", name)
			}
			return true, err
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return true, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return true, err
	}
	return true, errors.New(`no member "recipients" or "results"`)
}
