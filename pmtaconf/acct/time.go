package acct

import (
	"errors"
	"strconv"
	"time"
)

var errTime = errors.New("no time stamp: YYYY-MM-DD hh:mm:ss+hhmm or UNIX seconds are known")

// ParseTime reads a time stamp as accounting files have them: "2019-02-08 21:54:05+0000", UNIX seconds (iso-times no), and the form
// with MM/DD/YYYY of which the guide speaks without showing it (11.2.9). An offset may have a colon or be Z, and must be there:
// nothing is known of the clock of who wrote the file. A time with offset 0 is in UTC.
//
// It allocates nothing for offsets of whole hours. The error repeats nothing of the text.
func ParseTime(text []byte) (time.Time, error) {
	if len(text) < 19 {
		return parseUnix(text)
	}
	var year, month, day int
	ok := true
	num := func(at, n int) int {
		v := 0
		for _, c := range text[at : at+n] {
			if c < '0' || c > '9' {
				ok = false
			}
			v = v*10 + int(c-'0')
		}
		return v
	}
	switch {
	case text[4] == '-' && text[7] == '-':
		year, month, day = num(0, 4), num(5, 2), num(8, 2)
	case text[2] == '/' && text[5] == '/':
		month, day, year = num(0, 2), num(3, 2), num(6, 4)
	default:
		return time.Time{}, errTime
	}
	hour, minute, second := num(11, 2), num(14, 2), num(17, 2)
	ok = ok && (text[10] == ' ' || text[10] == 'T') && text[13] == ':' && text[16] == ':'
	offset, known := parseOffset(text[19:])
	if !ok || !known || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, errTime
	}
	zone := time.UTC
	if offset != 0 {
		zone = time.FixedZone("", offset)
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone), nil
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// parseOffset reads +hhmm, +hh:mm or Z, in seconds.
func parseOffset(b []byte) (int, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) == 6 && b[3] == ':' {
		b = []byte{b[0], b[1], b[2], b[4], b[5]}
	}
	if len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	hours, minutes := int(b[1]-'0')*10+int(b[2]-'0'), int(b[3]-'0')*10+int(b[4]-'0')
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// parseUnix reads seconds since 1970, without a sign.
func parseUnix(b []byte) (time.Time, error) {
	if len(b) == 0 || len(b) > 11 { // 11 digits reach the year 5138
		return time.Time{}, errTime
	}
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}, errTime
		}
		v = v*10 + int64(c-'0')
	}
	return time.Unix(v, 0).UTC(), nil
}

// FormatTime writes t in its zone as accounting files have it by default, "2019-02-08 21:54:05+0000". Fractions of a second are cut
// off. Years are 0 to 9999, and the zone's offset is in whole minutes; other times do not come back from ParseTime.
func FormatTime(t time.Time) string { return t.Format("2006-01-02 15:04:05-0700") }

// FormatUnix writes t as the seconds that iso-times no asks for.
func FormatUnix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
