package acct_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// item is what a reader yields: a record, or the kind of an error.
type item struct {
	Kind   acct.Kind
	Fields []string
	Names  []string
	Raw    string
	Size   int64
	Line   int
	Offset int64
}

// slowRead reads as the package comment says, a byte at a time and with no thought of speed. It holds the whole input.
func slowRead(in string, maxRecord int) (items []item, skipped int) {
	offset, line := 0, 1
	var names []string
	if strings.HasPrefix(in, "\ufeff") {
		offset = 3
		skipped = 3
	}
	for offset < len(in) {
		fields, size, kind := slowRecord(in[offset:])
		raw := in[offset : offset+size]
		it := item{Kind: kind, Raw: raw, Size: int64(size), Line: line, Offset: int64(offset)}
		if size > maxRecord {
			it.Kind, it.Raw = acct.TooLong, raw[:maxRecord]
		} else if strings.Contains(raw, "\x00") && kind != acct.Unfinished {
			it.Kind = acct.HasNUL
		}
		offset += size
		line += strings.Count(raw, "\n")
		switch {
		case it.Kind != "":
		case raw == "\n" || raw == "\r\n":
			skipped += size
			continue
		case strings.EqualFold(strings.TrimPrefix(fields[0], "\ufeff"), "type"):
			names = fields
			names[0] = strings.TrimPrefix(names[0], "\ufeff")
			skipped += size
			continue
		case names == nil:
			it.Kind = acct.NoHeader
		case len(fields) != len(names):
			it.Kind = acct.FieldCount
		default:
			it.Fields, it.Names = fields, names
		}
		items = append(items, it)
	}
	return items, skipped
}

// slowRecord takes the first record of in: its fields, its size with the line end, and what is wrong with its quotes or its end.
func slowRecord(in string) (fields []string, size int, kind acct.Kind) {
	var field strings.Builder
	i := 0
	toLineEnd := func() int {
		if n := strings.IndexByte(in[i:], '\n'); n >= 0 {
			return i + n + 1
		}
		return -1
	}
	for {
		field.Reset()
		if i < len(in) && in[i] == '"' {
			i++
			for {
				if i == len(in) {
					return nil, len(in), acct.Unfinished
				}
				if in[i] != '"' {
					field.WriteByte(in[i])
					i++
					continue
				}
				i++
				if i < len(in) && in[i] == '"' {
					field.WriteByte('"')
					i++
					continue
				}
				break
			}
			switch {
			case i == len(in) || in[i:] == "\r":
				return nil, len(in), acct.Unfinished
			case in[i] == ',' || in[i] == '\n' || strings.HasPrefix(in[i:], "\r\n"):
			default:
				if n := toLineEnd(); n >= 0 {
					return nil, n, acct.BadQuote
				}
				return nil, len(in), acct.Unfinished
			}
		} else {
			for i < len(in) && in[i] != ',' && in[i] != '\n' {
				if in[i] == '"' {
					if n := toLineEnd(); n >= 0 {
						return nil, n, acct.BadQuote
					}
					return nil, len(in), acct.Unfinished
				}
				field.WriteByte(in[i])
				i++
			}
		}
		if i == len(in) {
			return nil, len(in), acct.Unfinished
		}
		text := field.String()
		switch {
		case in[i] == ',':
			fields = append(fields, text)
			i++
			continue
		case in[i] == '\r':
			i++
		case i > 0 && in[i-1] == '\r': // a carriage return before the line end belongs to that, unless it was in quotes
			text = strings.TrimSuffix(text, "\r")
		}
		return append(fields, text), i + 1, ""
	}
}

// fastRead reads with the Reader.
func fastRead(rd *acct.Reader) (items []item, err error) {
	for rec, e := range rd.All() {
		if e != nil {
			bad, ok := e.(*acct.Error)
			if !ok {
				return nil, fmt.Errorf("%v is no *Error", e)
			}
			items = append(items, item{Kind: bad.Kind, Raw: string(bad.Raw), Size: bad.Size, Line: bad.Line, Offset: bad.Offset})
			continue
		}
		it := item{Names: rec.Header().Names(), Raw: string(rec.Raw()), Size: int64(len(rec.Raw())), Line: rec.Pos().Line, Offset: rec.Pos().Offset}
		for i := range rec.Len() {
			it.Fields = append(it.Fields, string(rec.Field(i)))
		}
		if end := rec.End(); end.Offset != it.Offset+it.Size || end.Line != it.Line+bytes.Count(rec.Raw(), []byte("\n")) {
			return nil, fmt.Errorf("record at %d ends at %+v", it.Offset, end)
		}
		items = append(items, it)
	}
	return items, nil
}
