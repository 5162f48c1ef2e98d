package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

const (
	// pause is how long the input must be silent for what came to be written.
	pause = 200 * time.Millisecond
	// window is how many of the last bytes are kept at least, for the place where they turn out to be no JSON. It is more than an
	// event may have, and what a decoder reads ahead.
	window = 16 << 20
)

// source is an input that says when it pauses, and that can go back to a line which was read already.
type source struct {
	ctx    context.Context
	chunks chan chunk
	quit   chan struct{}
	idle   func() error // called when the input pauses; nil for no call, and then the end of ctx is an error

	buf  []byte // the last bytes that came,
	base int64  // from here on,
	pos  int    // of which so many were read
	err  error  // what comes behind buf

	failed error // what idle returned
	late   int   // chunks that were taken after the end of ctx
}

type chunk struct {
	data []byte
	err  error
}

func newSource(ctx context.Context, r io.Reader) *source {
	s := &source{ctx: ctx, chunks: make(chan chunk, 4), quit: make(chan struct{})}
	go s.fetch(r)
	return s
}

// fetch reads r to its end.
func (s *source) fetch(r io.Reader) {
	for {
		b := make([]byte, 64<<10)
		n, err := r.Read(b)
		select {
		case s.chunks <- chunk{b[:n], err}:
		case <-s.quit:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *source) close() { close(s.quit) }

func (s *source) Read(p []byte) (int, error) {
	for s.pos == len(s.buf) {
		if err := s.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.pos:])
	s.pos += n
	return n, nil
}

// more waits for the next piece.
func (s *source) more() error {
	if s.err != nil {
		return s.err
	}
	c, ok := s.wait()
	if !ok {
		return s.err
	}
	if drop := len(s.buf) - window; drop > window {
		s.buf = append(s.buf[:0], s.buf[drop:]...)
		s.base += int64(drop)
		s.pos -= drop
	}
	s.buf, s.err = append(s.buf, c.data...), c.err
	if len(c.data) > 0 {
		return nil
	}
	return s.err
}

// wait reports false when there is none, and says why in err.
func (s *source) wait() (c chunk, ok bool) {
	if s.ctx.Err() != nil {
		return s.rest()
	}
	select {
	case c = <-s.chunks:
		return c, true
	default:
	}
	silent := time.NewTimer(pause)
	defer silent.Stop()
	for {
		select {
		case c = <-s.chunks:
			return c, true
		case <-silent.C:
			if s.idle != nil {
				if s.failed = s.idle(); s.failed != nil {
					s.err = s.failed
					return c, false
				}
			}
		case <-s.ctx.Done():
			return s.rest()
		}
	}
}

// rest gives what had come when ctx ended, and then the end.
func (s *source) rest() (c chunk, ok bool) {
	if s.idle == nil {
		s.err = s.ctx.Err()
		return c, false
	}
	if s.late++; s.late <= cap(s.chunks)+1 { // more comes now
		select {
		case c = <-s.chunks:
			return c, true
		default:
		}
	}
	s.err = io.EOF
	return c, false
}

// seek goes to a place among the bytes that are kept, or to the nearest.
func (s *source) seek(offset int64) { s.pos = int(min(max(offset-s.base, 0), int64(len(s.buf)))) }

// offset is where the next Read begins.
func (s *source) offset() int64 { return s.base + int64(s.pos) }

// lineStart is where the line begins in which offset lies, as far as it is kept.
func (s *source) lineStart(offset int64) int64 {
	at := int(min(max(offset-s.base, 0), int64(len(s.buf))))
	return s.base + int64(bytes.LastIndexByte(s.buf[:at], '\n')+1)
}

// line gives the rest of the line to keep, in pieces, with its end. It stands behind it then. The error is that of keep or of reading
// on; the end of the input is none.
func (s *source) line(keep func([]byte) error) error {
	for {
		rest := s.buf[s.pos:]
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		if err := keep(rest[:n]); err != nil {
			return err
		}
		s.pos += n
		if n > 0 && rest[n-1] == '\n' {
			return nil
		}
		if err := s.more(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
