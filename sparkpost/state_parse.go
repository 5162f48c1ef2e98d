package sparkpost

import (
	"bytes"
	_ "embed" // for the schema
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

//go:embed state.schema.json
var stateSchema []byte

// StateSchema returns the JSON Schema (draft 2020-12) of the documents that [ParseState] reads, for editors and other programs.
func StateSchema() []byte { return bytes.Clone(stateSchema) }

// StateError is a fault in the text of a State.
type StateError struct {
	// Line and Column count from 1; Column counts bytes. They point behind the faulty member or value.
	Line, Column int
	// Path names the member, such as "sending_domains.dkim.private"; "" for the document itself.
	Path string
	// Problem says what is wrong. It quotes no values.
	Problem string
}

// Error returns one line.
func (e *StateError) Error() string {
	s := fmt.Sprintf("sparkpost: state: line %d, column %d: ", e.Line, e.Column)
	if e.Path != "" {
		s += e.Path + ": "
	}
	return s + e.Problem
}

// ParseState reads a wanted State from JSON, in the form that [StateSchema] describes. A member that is not known is an error, so that a
// misspelled field, or a private key written into the document, does not pass unnoticed; so is a member that occurs twice. The error
// is a *[StateError], or several joined. A member that is null counts as absent.
func ParseState(data []byte) (*State, error) {
	p := &stateParser{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	if err := p.value(reflect.TypeFor[State](), ""); err != nil {
		p.fail(p.offset(err), "", "it is not JSON: "+syntax(err))
		return nil, errors.Join(p.errs...)
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		p.fail(p.dec.InputOffset(), "", "text after the end of the document")
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	s := &State{}
	if err := json.Unmarshal(data, s); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			p.fail(t.Offset, t.Field, "a "+t.Type.Kind().String()+" is needed")
		} else {
			p.fail(int64(len(data)), "", "it cannot be read")
		}
		return nil, p.errs[0]
	}
	return s, nil
}

var errDeep = errors.New("too many levels")

// syntax returns what is wrong with text that is no JSON, without pieces of it.
func syntax(err error) string {
	switch {
	case errors.Is(err, errDeep):
		return "too many levels"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	default:
		return "unexpected character"
	}
}

// stateParser walks through the tokens of a document beside the Go types, to find what encoding/json would not tell or not place.
type stateParser struct {
	data []byte
	dec  *json.Decoder
	errs []error
	deep int
}

func (p *stateParser) offset(err error) int64 {
	var s *json.SyntaxError
	if errors.As(err, &s) {
		return s.Offset
	}
	return p.dec.InputOffset()
}

func (p *stateParser) fail(offset int64, path, problem string) {
	const most = 20 // a document of another kind is not listed to the end
	if len(p.errs) >= most {
		return
	}
	head := p.data[:min(int(offset), len(p.data))]
	p.errs = append(p.errs, &StateError{Line: 1 + bytes.Count(head, []byte("\n")), Column: len(head) - bytes.LastIndexByte(head, '\n'),
		Path: path, Problem: problem})
}

// value reads one value that is to go into t; a nil t takes anything. The error is one of syntax.
func (p *stateParser) value(t reflect.Type, path string) error {
	tok, err := p.dec.Token()
	if err != nil {
		return err
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if _, ok := tok.(json.Delim); ok {
		const most = 100 // more than any State has, and little enough for the stack
		if p.deep++; p.deep > most {
			return errDeep
		}
		defer func() { p.deep-- }()
	}
	switch tok {
	case json.Delim('{'):
		return p.object(t, path)
	case json.Delim('['):
		var elem reflect.Type
		switch {
		case t == nil:
		case t.Kind() == reflect.Slice:
			elem = t.Elem()
		default:
			p.fail(p.dec.InputOffset(), path, "a list is not expected here")
		}
		for p.dec.More() {
			if err := p.value(elem, path); err != nil {
				return err
			}
		}
		_, err := p.dec.Token()
		return err
	}
	if path == "" && t == reflect.TypeFor[State]() {
		p.fail(p.dec.InputOffset(), "", "the document is no object")
	}
	return nil
}

func (p *stateParser) object(t reflect.Type, path string) error {
	var members map[string]reflect.Type
	var elem reflect.Type
	switch {
	case t == nil:
	case t.Kind() == reflect.Struct:
		members = jsonMembers(t)
	case t.Kind() == reflect.Map:
		elem = t.Elem()
	default:
		p.fail(p.dec.InputOffset(), path, "an object is not expected here")
	}
	seen := map[string]bool{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return err
		}
		name, at := tok.(string), path
		if at != "" {
			at += "."
		}
		at += oneLine(name, 60)
		if seen[name] {
			p.fail(p.dec.InputOffset(), at, "it occurs twice")
		}
		seen[name] = true
		mt := elem
		if members != nil {
			var known bool
			if mt, known = members[name]; !known {
				p.fail(p.dec.InputOffset(), at, "there is no such member")
			}
		}
		if err := p.value(mt, at); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return err
}

// jsonMembers returns the members of a struct by their exact names.
func jsonMembers(t reflect.Type) map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" && name != "" {
			m[name] = f.Type
		}
	}
	return m
}
