package pmtaconf

import (
	"fmt"
	"strings"
)

// SetText exchanges the comment and leaves indent and line end as they are. Text is the comment with its #.
func (c *Comment) SetText(text string) error {
	if text == c.Text() {
		return nil
	}
	if c.Parent() == nil {
		return fmt.Errorf("pmtaconf: the comment: %w", ErrDetached)
	}
	if err := checkComment(text); err != nil {
		return err
	}
	_, _, from, to := c.f.parts(c.id)
	raw := c.Raw()
	raw = raw[:from] + text + raw[to:]
	c.f.edit().set(c.id, raw, lex(raw))
	return nil
}

// SetTrailingComment exchanges the comment behind the value, or adds one behind a blank; an empty text removes it with the blanks
// in front of it. Text is the comment with its #. A directive over several lines is refused.
func (d *Directive) SetTrailingComment(text string) error {
	old := d.TrailingComment()
	if text == old {
		return nil
	}
	switch {
	case d.Parent() == nil:
		return fmt.Errorf("pmtaconf: the directive: %w", ErrDetached)
	case d.f.lines[d.id].flags&flagMulti != 0:
		return unsafe("comment", "the directive goes on over several lines")
	}
	if text != "" {
		if err := checkComment(text); err != nil {
			return err
		}
	}
	raw := d.Raw()
	end := len(raw) - eolLen(raw)
	stop := d.f.textEnd(d.id)
	gap := raw[stop:skipBlanks(raw, stop, end)]
	switch {
	case text == "":
		gap = ""
	case old == "" || gap == "":
		gap = " "
	}
	raw = raw[:stop] + gap + text + raw[end:]
	d.f.edit().set(d.id, raw, lex(raw))
	return nil
}

func checkComment(text string) error {
	if !strings.HasPrefix(text, "#") || isBlank(text[len(text)-1]) {
		return unsafe("comment", "it must start with # and not end in a blank")
	}
	return checkBytes("comment", text)
}
