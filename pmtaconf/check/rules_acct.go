package check

import (
	"strings"
)

// recordTypes are the types of accounting records by their long names (guide 3.3.11.11).
var recordTypes = map[string]string{
	"delivery": "d", "bounce": "b", "transient": "t", "transient-queue": "tq", "receipt": "r", "received": "r",
	"remote-bounce": "rb", "remote-status": "rs", "feedback-loop": "f", "fbl": "f",
}

// elements are the parts of a comma list, without the blanks around them.
func elements(list string) []string {
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// records are the types that an accounting file gets, in their short form. Without a line it gets d and b.
func records(s *scope) []string {
	it := s.get("records")
	if it == nil {
		return []string{"d", "b"}
	}
	var out []string
	for _, name := range elements(strings.ToLower(it.value)) {
		if short, ok := recordTypes[name]; ok {
			name = short
		}
		out = append(out, name)
	}
	return out
}

func acctVolume(p *pass) {
	for _, it := range p.named["records"] {
		if it.in.name != "acct-file" || !it.known || it.in.get("records") != it {
			continue
		}
		transient, others := 0, 0
		for _, r := range records(it.in) {
			if r == "t" || r == "tq" {
				transient++
			} else {
				others++
			}
		}
		if transient > 0 && others > 0 {
			p.value(it, "temporary errors stand in one file with other records, and there may be very many of them",
				"write t and tq into an <acct-file> of their own")
		}
	}
}

func queueFilterNegated(p *pass) {
	for _, it := range p.named["queue-filter"] {
		if it.in.name != "acct-file" {
			continue
		}
		list := elements(it.value)
		negated := 0
		for _, e := range list {
			if strings.HasPrefix(e, "!") {
				negated++
			}
		}
		if len(list) > 0 && negated == len(list) {
			p.value(it, "all elements exclude queues, so that no queue's records are written", "add an element for the queues whose records are wanted")
		}
	}
}

// userStringUnused looks at the types of records that have the field userString.
func userStringUnused(p *pass) {
	for _, it := range p.named["user-string"] {
		if it.in.name != "acct-file" || it.value == "" || it.in.get("include") != nil {
			continue
		}
		fields := make(map[string]string)
		for _, f := range it.in.items {
			kind, list, ok := strings.Cut(strings.ReplaceAll(f.value, "\t", " "), " ")
			if f.name != "record-fields" || !ok {
				continue
			}
			kind = strings.ToLower(kind)
			if short, ok := recordTypes[kind]; ok {
				kind = short
			}
			fields[kind] += "," + strings.ToLower(list)
		}
		used := false
		for _, r := range records(it.in) {
			switch r {
			case "d", "b", "t", "tq", "r":
				used = used || hasField(fields[r], "userstring")
			}
		}
		if !used {
			p.keyword(it, "the text is written as the field userString only, which no record of this file has", "add userString to record-fields, or remove the line")
		}
	}
}

// hasField reports whether a list of record-fields holds the field; the empty list stands for *.
func hasField(list, field string) bool {
	all := elements(list)
	has := len(all) == 0
	for _, e := range all {
		switch e {
		case "*", field:
			has = true
		case "!" + field:
			return false
		}
	}
	return has
}
