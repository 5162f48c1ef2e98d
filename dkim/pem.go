package dkim

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// maxBlocks bounds the armoured blocks of one file that are looked at.
const maxBlocks = 100

// block is one armoured block of a file. Its reader takes what the strict one
// of the standard library skips over: indented blocks, blocks on one line,
// blocks inside quotes, a missing last line.
type block struct {
	label   string
	headers map[string]string
	der     []byte // nil when the body is not base64
	noEnd   bool   // the END line is missing
}

// text turns the bytes of a file into text with LF line ends: it drops a
// byte-order mark, converts UTF-16, and turns the two characters \n of
// environment variables and JSON strings into line ends.
func text(data []byte) string {
	s := string(data)
	switch {
	case strings.HasPrefix(s, "\xef\xbb\xbf"):
		s = s[3:]
	case strings.HasPrefix(s, "\xff\xfe"):
		s = fromUTF16(data[2:], binary.LittleEndian)
	case strings.HasPrefix(s, "\xfe\xff"):
		s = fromUTF16(data[2:], binary.BigEndian)
	}
	return lineEnds.Replace(s)
}

var lineEnds = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\r`, "\n", "\r\n", "\n", "\r", "\n")

func fromUTF16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

const (
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	dashes    = "-----"
)

// findBlocks returns the armoured blocks of s in order, at most maxBlocks. The
// label of the END line is not compared with that of the BEGIN line.
func findBlocks(s string) []block {
	var list []block
	for len(list) < maxBlocks {
		_, after, ok := strings.Cut(s, beginMark)
		if !ok {
			break
		}
		segment := after
		s = ""
		if next := strings.Index(after, beginMark); next >= 0 {
			segment, s = after[:next], after[next:]
		}
		label, body, ok := strings.Cut(segment, dashes)
		if !ok || len(label) > 64 || strings.Contains(label, "\n") {
			continue
		}
		body, _, closed := strings.Cut(body, endMark)
		b := block{label: label, noEnd: !closed}
		b.headers, body = splitHeaders(body)
		b.der = decodeBase64(body)
		list = append(list, b)
	}
	return list
}

// splitHeaders takes the lines with a colon off the top of a body (RFC 1421
// section 4.4). A line that begins with a blank continues the one before, and
// is dropped.
func splitHeaders(body string) (headers map[string]string, rest string) {
	last := ""
	for {
		line, after, more := strings.Cut(body, "\n")
		name, value, isHeader := strings.Cut(line, ":")
		switch {
		case isHeader:
			last = strings.TrimSpace(name)
			if headers == nil {
				headers = make(map[string]string)
			}
			headers[last] = strings.TrimSpace(value)
		case last != "" && line != strings.TrimLeft(line, " \t") && strings.TrimSpace(line) != "":
			// No header of a key needs its second line.
		case strings.TrimSpace(line) == "" && more:
			last = ""
		default:
			return headers, body
		}
		if !more {
			return headers, ""
		}
		body = after
	}
}

// decodeBase64 decodes s without regard to white space, quotes, backslashes and
// padding. It returns nil when anything else is in the way, or nothing is there.
func decodeBase64(s string) []byte {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\n', '\r', '\v', '\f', '"', '\'', '\\':
			return -1
		}
		return r
	}, s)
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}
