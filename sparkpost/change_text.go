package sparkpost

import (
	"fmt"
	"strings"
)

// Markdown returns the changes for a ticket or a review: a summary, a table of changes with each field before and after, what cannot
// be done, and the records to publish. Keys are shortened as in [Change.Fields]; what is adopted is listed, what needs nothing is
// counted.
func (c *Changes) Markdown() string {
	var b strings.Builder
	count := map[Op]int{}
	for _, ch := range c.List {
		count[ch.Op]++
	}
	for _, k := range c.Kept {
		count[k.Op]++
	}
	b.WriteString("## Changes at SparkPost\n\n")
	var sum []string
	for _, op := range []Op{OpCreate, OpUpdate, OpMove, OpVerify, OpDelete, OpAdopt, OpNothing} {
		if count[op] > 0 {
			sum = append(sum, fmt.Sprintf("%s %d", op, count[op]))
		}
	}
	if len(sum) == 0 {
		sum = []string{"no changes"}
	}
	b.WriteString(strings.Join(sum, ", ") + "\n")
	if len(c.List) > 0 {
		b.WriteString("\n| # | Do | Resource | Field | Before | After | Note |\n|---|---|---|---|---|---|---|\n")
		for i, ch := range c.List {
			ch.rows(&b, i+1)
		}
	}
	section := func(head string, lines []string) {
		if len(lines) > 0 {
			b.WriteString("\n### " + head + "\n\n" + strings.Join(lines, ""))
		}
	}
	var not, wait, adopt []string
	for _, co := range c.Conflicts {
		line := fmt.Sprintf("- %s %s: %s", co.Kind, cell(co.Key), cell(co.Problem))
		if co.Hint != "" {
			line += "; " + cell(co.Hint)
		}
		if co.Waiting {
			wait = append(wait, line+"\n")
		} else {
			not = append(not, line+"\n")
		}
	}
	for _, k := range c.Kept {
		if k.Op == OpAdopt {
			adopt = append(adopt, fmt.Sprintf("- %s %s%s\n", k.Kind, cell(k.Key), note(k.Reason)))
		}
	}
	section("Cannot be done", not)
	section("Waits", wait)
	section("Adopted", adopt)
	if len(c.Records) > 0 {
		b.WriteString("\n### DNS records\n\n| Name | Type | In DNS | Value | For |\n|---|---|---|---|---|\n")
		for _, r := range c.Records {
			in, value := "no", "`"+strings.ReplaceAll(oneLine(r.Value, 2000), "`", "'")+"`"
			if r.Published {
				in = "yes"
			}
			if r.Value == "" {
				value = "ask SparkPost"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", cell(r.Name), r.Type, in, value, cell(r.Why))
		}
	}
	return b.String()
}

// rows writes one line of the table for each field, the first with what is done.
func (c Change) rows(b *strings.Builder, n int) {
	fields := c.Fields()
	if len(fields) == 0 {
		fields = []FieldChange{{}}
	}
	for i, f := range fields {
		if i == 0 {
			fmt.Fprintf(b, "| %d | %s | %s %s |", n, c.Op, c.Kind, cell(c.Key))
		} else {
			b.WriteString("| | | |")
		}
		reason := ""
		if i == 0 {
			reason = c.Reason
		}
		fmt.Fprintf(b, " %s | %s | %s | %s |\n", f.Name, cell(f.Before), cell(f.After), cell(reason))
	}
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return ": " + cell(s)
}

// cell returns s so that it stays within a cell and shows as it is.
func cell(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "<", "&lt;", "*", "\\*", "_", "\\_", "[", "\\[").Replace(oneLine(s, 2000))
}
