package events

import (
	"bytes"
	"io"
)

// Page is what a page of event search says beside its events (API docs: Events).
type Page struct {
	// Next is the path of the next page, "" on the last one.
	Next string
	// Total is total_count, the number of events on all pages; -1 when the page has none.
	Total int64
}

// Decoder reads events from a stream. It takes, one after the other and in any mixture, webhook batches (arrays), pages of event
// search, and single events with or without a wrapper, such as JSON lines. It holds one element at a time. A Decoder is for one
// goroutine.
type Decoder struct {
	r    io.Reader
	lim  Limits
	buf  []byte // what was read and not yet used
	base int64  // the offset of buf[0] in the stream
	room []byte // what buf lies in
	rerr error  // why there is no more to read

	state   state
	pending []Event
	free    []Event // what pending lies in
	page    Page
	inPage  bool // the array is the results of a page
	pages   int
	values  int // top-level values begun
	err     error
}

// state is where in the stream a Decoder stands.
type state int

const (
	between  state = iota // two top-level values
	arrFirst              // at the first element of an array
	arrNext               // after an element of an array
	pageTail              // after the results of a page
)

// NewDecoder reads from r. With nil the limits are the defaults.
func NewDecoder(r io.Reader, limits *Limits) *Decoder {
	return &Decoder{r: r, lim: limits.orDefault()}
}

// Decode returns the events of data, which is what a [Decoder] takes. After an error it returns those before it.
func Decode(data []byte, limits *Limits) ([]Event, error) {
	return readAll(NewDecoder(bytes.NewReader(data), limits))
}

func readAll(d *Decoder) ([]Event, error) {
	var out []Event
	for {
		e, err := d.Next()
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return out, err
		case len(out) == d.lim.Events:
			return out, &Error{Kind: ErrTooLarge, Offset: e.Offset, Detail: "more events than Limits.Events"}
		}
		out = append(out, e)
	}
}

// Page returns what the last page that was read to its end says; false when there was none.
func (d *Decoder) Page() (Page, bool) { return d.page, d.pages > 0 }

// Next returns the next event, and io.EOF after the last. Any other error is an [*Error] with the place, or that of the reader, and
// is final: there is no telling where the next event would begin.
func (d *Decoder) Next() (Event, error) {
	for len(d.pending) == 0 {
		if d.err == nil {
			d.err = d.step()
		}
		if d.err != nil {
			return Event{}, d.err
		}
	}
	e := d.pending[0]
	d.pending = d.pending[1:]
	return e, nil
}

// step reads one element, or goes into or out of an array or a page.
func (d *Decoder) step() error {
	c, err := d.skip()
	switch {
	case err == io.EOF && d.state == between:
		return io.EOF
	case err == io.EOF:
		return d.fault(0, &fault{0, "the text ends within an array or a page", ErrSyntax})
	case err != nil:
		return err
	}
	switch d.state {
	case pageTail:
		return d.tail(c)
	case arrFirst, arrNext:
		return d.inArray(c)
	}
	d.values++
	switch c {
	case '[':
		d.use(1)
		d.state, d.inPage = arrFirst, false
		return nil
	case '{':
		return d.object()
	}
	return d.element()
}

func (d *Decoder) inArray(c byte) error {
	switch {
	case c == ']':
		d.use(1)
		d.state = between
		if d.inPage {
			d.state = pageTail
		}
		return nil
	case d.state == arrFirst:
		d.state = arrNext
		return d.element()
	case c != ',':
		return d.fault(0, bad(0, "no comma and no end after an element"))
	}
	d.use(1)
	if _, err := d.skip(); err != nil {
		return d.cut(err)
	}
	return d.element()
}

// element reads a whole element.
func (d *Decoder) element() error {
	n, err := d.end(0)
	if err != nil {
		return err
	}
	return d.take(n)
}

// take makes events of the first n bytes.
func (d *Decoder) take(n int) error {
	p := parser{string(d.buf[:n]), d.lim.Depth}
	found, f := p.element(d.free[:0], d.base)
	if f != nil {
		return d.fault(f.at, f)
	}
	d.pending, d.free = found, found
	d.use(n)
	return nil
}

// object reads a top-level object: an element, or the beginning of a page up to its results.
func (d *Decoder) object() error {
	i, isEvent, isError := 1, false, false
	for first := true; ; first = false {
		before := i
		m, c, err := d.member(&i, first)
		if err != nil {
			return err
		}
		if c == '}' {
			if isError && !isEvent {
				return d.fault(0, &fault{0, "the API answered with errors; see its status and body", ErrAnswer})
			}
			return d.take(i)
		}
		switch m {
		case "msys", "type":
			isEvent = true
		case "errors":
			isError = isError || c == '['
		case "results":
			if c == '[' && !isEvent {
				return d.openPage(before, i)
			}
		}
		if i, err = d.end(i); err != nil {
			return err
		}
	}
}

// member reads from i the name of the next member and moves i to its value, whose first byte it returns; or moves i behind the end
// of the object and returns '}'. Only the first member has no comma before it.
func (d *Decoder) member(i *int, first bool) (name string, c byte, err error) {
	if c, err = d.peek(i); err != nil {
		return "", 0, err
	}
	if c == '}' {
		*i++
		return "", c, nil
	}
	if !first {
		if c != ',' {
			return "", 0, d.fault(*i, bad(*i, "no comma and no end after a member"))
		}
		*i++
	}
	return d.name(i)
}

// name reads a member's name and the colon behind it, and moves i to its value.
func (d *Decoder) name(i *int) (name string, c byte, err error) {
	if c, err = d.peek(i); err != nil {
		return "", 0, err
	}
	if c != '"' {
		return "", 0, d.fault(*i, bad(*i, "no name where a member belongs"))
	}
	start := *i
	if *i, err = d.end(start); err != nil {
		return "", 0, err
	}
	p := parser{string(d.buf[start:*i]), 1}
	if _, f := p.str(0); f != nil {
		return "", 0, d.fault(start+f.at, f)
	}
	if c, err = d.peek(i); err != nil {
		return "", 0, err
	}
	if c != ':' {
		return "", 0, d.fault(*i, bad(*i, "no colon after a name"))
	}
	*i++
	c, err = d.peek(i)
	return unquote(p.s), c, err
}

// openPage goes into the results of a page, whose bracket is at i. The members before them end at before.
func (d *Decoder) openPage(before, i int) error {
	d.page, d.inPage = Page{Total: -1}, true
	if f := d.note(string(d.buf[:before]) + "}"); f != nil {
		return d.fault(f.at, f)
	}
	d.use(i + 1)
	d.state = arrFirst
	return nil
}

// note takes over what a part of a page says.
func (d *Decoder) note(object string) *fault {
	p := parser{object, d.lim.Depth}
	var e Event
	end, f := p.event(&e, 0, 0)
	if f != nil {
		return f
	}
	if end != len(object) {
		return bad(end, "more after a value")
	}
	if n, ok := e.Int("total_count"); ok && n >= 0 {
		d.page.Total = n
	}
	if next := e.Text("links.next"); next != "" {
		d.page.Next = next
	}
	return nil
}

// tail reads the members after the results of a page, and its end.
func (d *Decoder) tail(c byte) error {
	if c == '}' {
		d.use(1)
		d.state = between
		d.pages++
		return nil
	}
	if c != ',' {
		return d.fault(0, bad(0, "no comma and no end after a member"))
	}
	start := 1
	i := start
	name, c, err := d.name(&i)
	if err != nil {
		return err
	}
	if name == "results" && c == '[' {
		d.use(i + 1)
		d.state = arrFirst
		return nil
	}
	if i, err = d.end(i); err != nil {
		return err
	}
	if f := d.note("{" + string(d.buf[start:i]) + "}"); f != nil {
		return d.fault(start+max(f.at-1, 0), f)
	}
	d.use(i)
	return nil
}

// fault makes the error for a fault at buf[i].
func (d *Decoder) fault(i int, f *fault) error {
	e := &Error{Kind: f.kind, Offset: d.base + int64(i), Detail: f.what}
	if f.kind == ErrSyntax && i >= len(d.buf) && d.rerr == io.EOF {
		e.Err = io.ErrUnexpectedEOF
	}
	return e
}

// cut turns an end of the input where there may be none into an error.
func (d *Decoder) cut(err error) error {
	if err == io.EOF {
		return d.fault(len(d.buf), bad(len(d.buf), "the text ends within a value"))
	}
	return err
}

// use drops the first n bytes.
func (d *Decoder) use(n int) {
	d.buf = d.buf[n:]
	d.base += int64(n)
}

// more reads on. When it returns nil there is at least one byte more.
func (d *Decoder) more() error {
	if d.rerr != nil {
		return d.rerr
	}
	if len(d.buf) == cap(d.buf) {
		if len(d.room) == 0 || 2*len(d.buf) > len(d.room) {
			d.room = make([]byte, max(32<<10, 2*len(d.room)))
		}
		d.buf = d.room[:copy(d.room, d.buf)]
	}
	for range 100 {
		n, err := d.r.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+n]
		if err != nil && err != io.EOF {
			err = &Error{Kind: ErrRead, Offset: d.base + int64(len(d.buf)), Err: err}
		}
		if d.rerr = err; n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	d.rerr = &Error{Kind: ErrRead, Offset: d.base + int64(len(d.buf)), Err: io.ErrNoProgress}
	return d.rerr
}

// skip drops blanks, and a byte order mark at the very beginning, and returns the byte behind them.
func (d *Decoder) skip() (byte, error) {
	for {
		for i, c := range d.buf {
			if !isSpace(c) {
				d.use(i)
				if d.base == 0 && c == bom[0] {
					return d.skipBOM()
				}
				return c, nil
			}
		}
		d.use(len(d.buf))
		if err := d.more(); err != nil {
			return 0, err
		}
	}
}

const bom = "\ufeff"

func (d *Decoder) skipBOM() (byte, error) {
	for len(d.buf) < len(bom) {
		if err := d.more(); err != nil {
			return d.buf[0], nil
		}
	}
	if string(d.buf[:len(bom)]) != bom {
		return d.buf[0], nil
	}
	d.use(len(bom))
	return d.skip()
}

// peek moves i over blanks and returns the byte there, within a value.
func (d *Decoder) peek(i *int) (byte, error) {
	for {
		for ; *i < len(d.buf); *i++ {
			if !isSpace(d.buf[*i]) {
				return d.buf[*i], d.fits(*i)
			}
		}
		if err := d.fits(*i); err != nil {
			return 0, err
		}
		if err := d.more(); err != nil {
			return 0, d.cut(err)
		}
	}
}

// fits reports whether an element may be i bytes long.
func (d *Decoder) fits(i int) error {
	if i <= d.lim.Event {
		return nil
	}
	return &Error{Kind: ErrTooLarge, Offset: d.base, Detail: "an element is longer than Limits.Event"}
}

// end returns where the value ends that begins at buf[i], reading on as needed. It looks at brackets and quotes only; whether the
// text between them is JSON shows when it is parsed. Every byte is looked at once.
func (d *Decoder) end(i int) (int, error) {
	depth, quoted, escaped := 0, false, false
	start := i
	for {
		for b := d.buf; i < len(b); i++ {
			if escaped {
				escaped = false
				continue
			}
			if quoted {
				for i < len(b) && b[i] != '"' && b[i] != '\\' {
					i++
				}
				if i == len(b) {
					break
				}
				if b[i] == '\\' {
					escaped = true
				} else if quoted = false; depth == 0 {
					return i + 1, d.fits(i + 1)
				}
				continue
			}
			switch b[i] {
			case '"':
				quoted = true
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth < 0 {
					return d.scalar(start, i)
				} else if depth == 0 {
					return i + 1, d.fits(i + 1)
				}
			case ',', ':', ' ', '\t', '\r', '\n':
				if depth == 0 {
					return d.scalar(start, i)
				}
			}
		}
		if err := d.fits(i); err != nil {
			return 0, err
		}
		if err := d.more(); err != nil {
			if err == io.EOF && depth == 0 && !quoted && i > start {
				return i, nil
			}
			return 0, d.cut(err)
		}
	}
}

// scalar is the end of a number or a word, which must have a byte.
func (d *Decoder) scalar(start, i int) (int, error) {
	if i == start {
		return 0, d.fault(i, bad(i, "no value begins like this"))
	}
	return i, d.fits(i)
}
