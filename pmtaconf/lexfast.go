package pmtaconf

import "strings"

// lexFast reads the line at off into r, if it has one of the forms that nearly all lines have, and gives the offset behind it.
// It gives -1, and leaves r alone, for every other form and for every line that lex would flag. Where it answers, it agrees
// with lex.
func lexFast(src string, off int, r *record) int {
	i := off
	for i < len(src) && src[i] == ' ' {
		i++
	}
	for i < len(src) && (src[i] == ' ' || src[i] == '\t') {
		i++
	}
	if i == len(src) {
		return -1
	}
	c := src[i]
	switch {
	case c == '<':
		return lexFastTag(src, off, i, r)
	case c == '\n':
		return r.fast(off, i+1, kindBlank, i, i, i, i)
	case c == '#':
		n := strings.IndexByte(src[i:], '\n')
		if n < 0 {
			return -1
		}
		return r.fast(off, i+n+1, kindComment, i, i, i, trimBlanks(src, i, i+n))
	case class[c]&keywordClass == 0 || c == '-' || c == '.' || c == '_':
		return -1
	}
	j := i + 1
	for j < len(src) && class[src[j]]&keywordClass != 0 {
		j++
	}
	k := j
	for k < len(src) && src[k] == ' ' {
		k++
	}
	if k == j || k == len(src) {
		return -1
	}
	n := strings.IndexByte(src[k:], '\n')
	if n <= 0 || isBlank(src[k]) {
		return -1
	}
	d := k + n
	if h := strings.IndexByte(src[k:d], '#'); h >= 0 {
		d = k + h
	}
	for d > k && isBlank(src[d-1]) {
		d--
	}
	if d == k || src[d-1] == '>' || j-i == len("domain-macro") && isMacro(src[i:j]) {
		return -1
	}
	return r.fast(off, k+n+1, kindDirective, i, j, k, d)
}

func lexFastTag(src string, off, i int, r *record) int {
	a := i + 1
	kind := kindOpen
	if a < len(src) && src[a] == '/' {
		kind = kindClose
		a++
	}
	b := a
	for b < len(src) && class[src[b]]&keywordClass != 0 {
		b++
	}
	c := b
	for c < len(src) && src[c] == ' ' {
		c++
	}
	if b == a || c == len(src) || isBlank(src[c]) {
		return -1
	}
	d := c
	for src[d] != '>' {
		if src[d] == '\n' || src[d] == '#' || src[d] == '"' || d+1 == len(src) {
			return -1
		}
		d++
	}
	stop := d + 1
	if d > c && (c == b || isBlank(src[d-1])) || stop == len(src) || src[stop] != '\n' {
		return -1
	}
	return r.fast(off, stop+1, kind, a, b, c, d)
}

// fast sets r to the line off..end of src, whose parts lie at a..b and c..d of src.
func (r *record) fast(off, end int, k kind, a, b, c, d int) int {
	if end-off >= 1<<16 {
		return -1
	}
	r.off, r.size, r.kind = uint32(off), uint32(end-off), k
	r.at = [4]uint16{uint16(a - off), uint16(b - off), uint16(c - off), uint16(d - off)}
	return end
}
