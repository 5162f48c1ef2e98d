package warmup

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// maxText bounds what ParseSchedule and ParseVolumes read, in bytes.
const maxText = 1 << 20

// ParseSchedule reads a schedule of your own: a JSON object as a [Schedule]
// marshals to, or CSV. The result is valid; a fault is an [*Error] with its line
// where one is known.
//
// CSV begins with a row of headings. The first is "day" or "week" and counts
// from 1; numbers rise, and those left out keep the caps before them. The others
// are "cap" (per IP), "hourly" (per IP and hour) or "total" (for all IPs
// together), alone, or the names of receivers, which have a cap per IP each.
// A cap is a number of messages, or with "%" behind it a part of the stream's
// largest day, to hundredths; either all caps of a table are or none. Lines that
// begin with "#" are passed over.
//
//	day,gmail,hotmail,other
//	1,500,250,1000
//	3,1000,500,2000
func ParseSchedule(text []byte) (Schedule, error) {
	if len(text) > maxText {
		return Schedule{}, &Error{Field: "text", Reason: fmt.Sprintf("the table has more than %d bytes", maxText)}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	read := scheduleCSV
	if t := bytes.TrimSpace(text); len(t) > 0 && t[0] == '{' {
		read = scheduleJSON
	}
	s, err := read(text)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return Schedule{}, err
	}
	return s, nil
}

// ParseVolumes reads the expected messages of single dates from CSV, for
// Plan.Dated: a date as YYYY-MM-DD and a number a row, each date once. The first
// row may hold headings; lines that begin with "#" are passed over. A fault is an
// [*Error] with its line.
func ParseVolumes(text []byte) (map[string]int64, error) {
	if len(text) > maxText {
		return nil, &Error{Field: "text", Reason: fmt.Sprintf("the file has more than %d bytes", maxText)}
	}
	volumes, first := make(map[string]int64), true
	err := rows(text, func(line int, row []string) error {
		heading := first
		first = false
		if len(row) != 2 {
			return &Error{Field: "text", Line: line, Reason: fmt.Sprintf("%d fields; a row is a date and a number", len(row))}
		}
		t, err := time.Parse(time.DateOnly, row[0])
		if err != nil || t.Format(time.DateOnly) != row[0] {
			if heading {
				return nil
			}
			return &Error{Field: "text", Line: line, Reason: fmt.Sprintf("%q is no date; write YYYY-MM-DD", row[0])}
		}
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil || n < 0 {
			return &Error{Field: "text", Line: line, Reason: fmt.Sprintf("%q is no number of messages", row[1])}
		}
		if _, twice := volumes[row[0]]; twice {
			return &Error{Field: "text", Line: line, Reason: row[0] + " is there twice"}
		}
		volumes[row[0]] = n
		return nil
	})
	if err != nil {
		return nil, err
	}
	return volumes, nil
}

// rows calls each with every row of CSV, its fields without blanks around them.
func rows(text []byte, each func(line int, row []string) error) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = '#', -1, true, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var fault *csv.ParseError
		if errors.As(err, &fault) {
			return &Error{Field: "text", Line: fault.Line, Reason: "this is no CSV: " + fault.Err.Error()}
		} else if err != nil {
			return err
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		line, _ := r.FieldPos(0)
		if err := each(line, row); err != nil {
			return err
		}
	}
}

// table collects the rows of a CSV schedule.
type table struct {
	columns []Schedule
	last    int // the number of the row before
	percent bool
}

func scheduleCSV(text []byte) (Schedule, error) {
	var s Schedule
	var t table
	single := false
	err := rows(text, func(line int, row []string) error {
		bad := func(format string, args ...any) error {
			return &Error{Field: "text", Line: line, Reason: fmt.Sprintf(format, args...)}
		}
		if t.columns != nil {
			if len(row) != len(t.columns)+1 {
				return bad("%d fields under %d headings", len(row), len(t.columns)+1)
			}
			return t.add(row, bad)
		}
		hold, ok := map[string]int{"day": 1, "week": 7}[strings.ToLower(row[0])]
		if !ok || len(row) < 2 {
			return bad(`the first row holds headings: "day" or "week", then "cap", "hourly", "total" or receivers`)
		}
		for _, name := range row[1:] {
			c := Schedule{Name: name, Hold: hold}
			switch name {
			case "cap", "hourly", "total":
				if single = len(row) == 2; !single {
					return bad("%q stands alone; take receivers' names for several columns", name)
				}
				c.PerHour, c.Together = name == "hourly", name == "total"
			case "":
				return bad("a column has no heading")
			}
			t.columns = append(t.columns, c)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	for i := range t.columns {
		t.columns[i].Percent = t.percent
	}
	if single {
		s = t.columns[0]
		s.Name = ""
	} else {
		s.Receivers = t.columns
	}
	if t.last == 0 {
		return s, &Error{Field: "text", Reason: "the table has no rows; it begins with headings such as day,cap"}
	}
	return s, nil
}

func (t *table) add(row []string, bad func(string, ...any) error) error {
	n, err := strconv.Atoi(row[0])
	if err != nil || n <= t.last || n > maxDays || t.last == 0 && n != 1 {
		return bad("%q does not follow %d; rows are numbered from 1 to at most %d, and numbers rise", row[0], t.last, maxDays)
	}
	for i, field := range row[1:] {
		c, percent, err := parseCap(field)
		if err != nil {
			return bad("%q is no cap; write 5000, or 2.5%%", field)
		}
		if first := t.last == 0 && i == 0; first {
			t.percent = percent
		} else if percent != t.percent {
			return bad("%q mixes percentages with messages", field)
		}
		caps := &t.columns[i].Caps
		for len(*caps) < n-1 {
			*caps = append(*caps, (*caps)[len(*caps)-1])
		}
		*caps = append(*caps, c)
	}
	t.last = n
	return nil
}

// parseCap reads a number of messages, or a percentage in hundredths.
func parseCap(s string) (n int64, percent bool, err error) {
	number, percent := strings.CutSuffix(s, "%")
	if !percent {
		n, err = strconv.ParseInt(s, 10, 64)
		return n, false, err
	}
	units, frac, point := strings.Cut(strings.TrimSpace(number), ".")
	if point && (frac == "" || len(frac) > 2) {
		return 0, true, strconv.ErrSyntax
	}
	v, err := strconv.ParseUint(units+(frac + "00")[:2], 10, 32)
	return int64(v), true, err
}

// ratText is a fraction or decimal in JSON, read without the exponents that
// make a short text a huge number.
type ratText struct{ *big.Rat }

func (r *ratText) UnmarshalJSON(text []byte) error {
	s := strings.Trim(string(text), `"`)
	if s == "" || len(s) > 64 || strings.Trim(s, "0123456789./") != "" {
		return fmt.Errorf(`growth %.64q; write "6/5" or 1.2`, s)
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok {
		return fmt.Errorf(`growth %q; write "6/5" or 1.2`, s)
	}
	r.Rat = v
	return nil
}

// UnmarshalJSON reads factors as fractions or decimals, in quotes or not, and
// refuses fields it does not know.
func (s *Schedule) UnmarshalJSON(text []byte) error {
	type plain Schedule // without this method
	v := struct {
		*plain
		Growth  ratText `json:"growth"`
		Slowing []struct {
			From   int64   `json:"from"`
			Growth ratText `json:"growth"`
		} `json:"slowing"`
	}{plain: (*plain)(s)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return err
	}
	s.Growth, s.Slowing = v.Growth.Rat, nil
	for _, r := range v.Slowing {
		s.Slowing = append(s.Slowing, Rate{r.From, r.Growth.Rat})
	}
	return nil
}

func scheduleJSON(text []byte) (Schedule, error) {
	var s Schedule
	if deep(text) {
		return s, &Error{Field: "text", Reason: "this is no schedule: it is nested too deeply"}
	}
	err := json.Unmarshal(text, &s)
	if err == nil {
		return s, nil
	}
	fault := &Error{Field: "text", Reason: "this is no schedule: " + strings.TrimPrefix(err.Error(), "json: ")}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		fault.Line = 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
	}
	return Schedule{}, fault
}

// deep reports whether brackets nest further than any schedule needs. Each
// level is decoded once for every level above it.
func deep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > 16 {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
