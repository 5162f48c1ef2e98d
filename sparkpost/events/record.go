package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Field is one field of a record: a column of an accounting file and its value.
type Field struct{ Name, Value string }

// Record is an event as an accounting record. It has the columns of its type, in the order of the guide's samples, also where
// they are empty.
type Record struct {
	// Type is r, d, t, b, rb or f, as in the first field.
	Type string
	// Fields are the columns; the first is type.
	Fields []Field
	// Missing says what the mapping did not know, in one line each: a subaccount without a virtual MTA, for example. It is empty
	// when nothing is.
	Missing []string
}

// Value returns the value of a column, "" for one that the record does not have.
func (r Record) Value(name string) string {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Extra is a column that takes its value from a field of the event.
type Extra struct {
	// Column is the name of the column, such as envId or header_Subject.
	Column string
	// Field is the event's field as in [Event.Lookup]: rcpt_meta.envid, subject, event_id.
	Field string
}

// Mapping says how a relayed stream looks in accounting files. The zero Mapping, and nil, know no virtual MTA and take campaigns as
// jobs. A Mapping may be used by several goroutines that do not change it.
type Mapping struct {
	// VMTA has the virtual MTA for a subaccount, such as "412", or for a subaccount and IP pool, such as "412/promo_pool", which
	// goes before. The primary account is "0". An event of neither has empty vmta and queue, and a line in Record.Missing.
	VMTA map[string]string
	// Pool has the virtual MTA pool for a virtual MTA, for vmtaPool. One that is not in it has none.
	Pool map[string]string
	// Job has the job for a campaign. A campaign that is not in it is its own job, as PowerMTA makes the campaign from the job.
	Job map[string]string
	// Category has the bounceCat for a bounce class, before the table of [BounceClasses].
	Category map[string]string
	// Extras are columns at the end, or values for columns that events have no counterpart for: orcpt, envId, userString,
	// rcvSmtpUser, header_NAME and names of your own. Other columns are refused by [Mapping.Check].
	Extras []Extra
	// Location is the zone of times, UTC when nil.
	Location *time.Location
	// UnixTimes writes times as Unix seconds, as iso-times no does.
	UnixTimes bool
}

// Columns returns the columns that records of m can have, each once: those of all types, then the extras. It is the header of a
// file.
func (m *Mapping) Columns() []string {
	out := slices.Clone(columns)
	if m != nil {
		for _, x := range m.Extras {
			if !slices.Contains(out, x.Column) {
				out = append(out, x.Column)
			}
		}
	}
	return out
}

// Check returns an error for an extra column that records fill already, that has no name or field, or that comes twice.
func (m *Mapping) Check() error {
	if m == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, x := range m.Extras {
		switch {
		case x.Column == "" || x.Field == "":
			return fmt.Errorf("events: an extra column needs a name and a field of the event")
		case strings.ContainsAny(x.Column, ",\"\r\n"):
			return fmt.Errorf("events: extra column %q: a name has no comma, quote or line end", x.Column)
		case seen[x.Column]:
			return fmt.Errorf("events: extra column %q comes twice", x.Column)
		case slices.Contains(columns, x.Column) && !slices.Contains(free, x.Column):
			return fmt.Errorf("events: column %q is filled already; take another name", x.Column)
		}
		seen[x.Column] = true
	}
	return nil
}

// columns are those of all record types, in the order of the guide's samples (guide 11.2), the newer ones behind.
var columns = []string{
	"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat",
	"srcType", "srcMta", "dlvType", "dlvSourceIp", "dlvDestinationIp", "dlvSize", "vmta", "jobId", "envId", "queue", "vmtaPool",
	"totalSecondsQueued", "rcvSmtpUser", "userString", "feedbackType", "reportingMTA", "reportedDomain",
}

// free are the columns that an extra may fill.
var free = []string{"orcpt", "envId", "userString", "rcvSmtpUser"}

// columnsOf are the columns of each record type (guide 11.2), without those that no event can fill.
var columnsOf = map[string][]string{
	"r": {"type", "timeLogged", "orig", "rcpt", "orcpt", "srcType", "vmta", "jobId", "envId", "vmtaPool", "rcvSmtpUser", "userString"},
	"d": {"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnMta", "srcType", "dlvType",
		"dlvSourceIp", "dlvDestinationIp", "dlvSize", "vmta", "jobId", "envId", "queue", "vmtaPool", "totalSecondsQueued",
		"rcvSmtpUser", "userString"},
	"t": {"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat",
		"srcType", "dlvType", "dlvSourceIp", "dlvDestinationIp", "vmta", "jobId", "envId", "queue", "vmtaPool", "totalSecondsQueued",
		"rcvSmtpUser", "userString"},
	"b": {"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat",
		"srcType", "srcMta", "vmta", "jobId", "envId", "queue", "vmtaPool", "totalSecondsQueued", "rcvSmtpUser", "userString"},
	"rb": {"type", "timeLogged", "orig", "rcpt", "orcpt", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat", "srcType", "envId"},
	"f":  {"type", "timeLogged", "orig", "rcpt", "dlvSourceIp", "envId", "feedbackType", "reportingMTA", "reportedDomain"},
}

// Record returns the accounting record of an event. Where an event does not have what a column holds, the
// column is empty: nothing is made up.
//
// timeLogged and timeQueued are whole seconds, and so is totalSecondsQueued, from queue_time, or, on a bounce, from timestamp less
// injection_time. rcpt is the recipient as injected where the event has it. dsnStatus is the enhanced status in the remote server's
// words; without one it is the undefined status of the class, such as 5.0.0, after error_code or the type. dsnMta is an address
// without a name. TLS version and cipher are not in events and have no columns.
//
// The error is an [*Error]: of the kind [ErrNoCounterpart] for a type without a record, [ErrUnknownType] for an unknown type or
// none, and [ErrIncomplete] without a timestamp. Such an event is still whole, for the caller to keep.
func (m *Mapping) Record(e Event) (Record, error) {
	i := rank(e.Type)
	switch {
	case i < 0 && e.Type == "":
		return Record{}, &Error{Kind: ErrUnknownType, Offset: e.Offset, Detail: "no type; class " + short(e.Class)}
	case i < 0:
		return Record{}, &Error{Kind: ErrUnknownType, Offset: e.Offset, Detail: short(e.Type)}
	case types[i].Record == "":
		return Record{}, &Error{Kind: ErrNoCounterpart, Offset: e.Offset, Detail: e.Type}
	}
	if m == nil {
		m = &Mapping{}
	}
	logged, ok := e.Time("timestamp")
	if !ok {
		return Record{}, &Error{Kind: ErrIncomplete, Offset: e.Offset, Detail: e.Type + " without a timestamp"}
	}
	c := converter{m: m, e: e, record: types[i].Record, logged: logged}
	r := Record{Type: c.record, Fields: make([]Field, 0, len(columnsOf[c.record])+len(m.Extras))}
	stream := c.stream()
	for _, name := range columnsOf[c.record] {
		value := ""
		switch name {
		case "vmta":
			value = stream.vmta
		case "vmtaPool":
			value = stream.pool
		case "queue":
			value = stream.queue
		default:
			value = c.value(name)
		}
		r.Fields = append(r.Fields, Field{name, value})
	}
	if stream.missing != "" && slices.Contains(columnsOf[c.record], "vmta") {
		r.Missing = append(r.Missing, stream.missing)
	}
	for _, x := range m.Extras {
		j := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == x.Column })
		if j < 0 {
			r.Fields = append(r.Fields, Field{Name: x.Column})
			j = len(r.Fields) - 1
		}
		if r.Fields[j].Value == "" {
			r.Fields[j].Value = e.Text(x.Field)
		}
	}
	return r, nil
}

// short quotes text from outside for an error.
func short(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}
