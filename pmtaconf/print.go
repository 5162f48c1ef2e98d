package pmtaconf

import (
	"io"
	"slices"
)

// Bytes gives the file as it stands. For a file without edits these are the bytes that Parse read.
func (f *File) Bytes() []byte {
	dst, _ := f.AppendText(make([]byte, 0, f.size()))
	return dst
}

// AppendText appends the file as it stands to dst. The error is always nil. Nothing is allocated when dst has room for it.
func (f *File) AppendText(dst []byte) ([]byte, error) {
	dst = append(dst, f.bom...)
	if !f.Edited() {
		return append(dst, f.src...), nil
	}
	f.each(func(s string) bool {
		dst = append(dst, s...)
		return true
	})
	return dst, nil
}

// WriteTo writes the file as it stands to w.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	buf := slices.Grow([]byte(nil), 64<<10)
	buf = append(buf, f.bom...)
	var total int64
	var err error
	flush := func() bool {
		n, werr := w.Write(buf)
		total += int64(n)
		if werr == nil && n < len(buf) {
			werr = io.ErrShortWrite
		}
		err = werr
		buf = buf[:0]
		return err == nil
	}
	f.each(func(s string) bool {
		buf = append(buf, s...)
		return len(buf) < 64<<10 || flush()
	})
	if err == nil && len(buf) > 0 {
		flush()
	}
	return total, err
}

// size is the length of the file as it stands.
func (f *File) size() int {
	if !f.Edited() {
		return len(f.bom) + len(f.src)
	}
	n := len(f.bom)
	f.each(func(s string) bool {
		n += len(s)
		return true
	})
	return n
}

// each yields the text of all lines in order. A line without a line end, which only the last line of a source can be, gets the
// file's before another one follows; it is not changed by that, so that taking the following line out again restores the file.
func (f *File) each(yield func(string) bool) {
	open := false // the line before has no line end
	for id := range f.subtree(0) {
		raw := f.raw(id)
		if open && !yield(f.eol) || !yield(raw) {
			return
		}
		open = eolLen(raw) == 0
	}
}
