package inject

import (
	"bytes"
	"html"
	"io"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
)

var (
	hopFrom   = regexp.MustCompile(`(?i)^\s*from\s+(\S+)`)
	hopBy     = regexp.MustCompile(`(?i)\bby\s+(\S+)`)
	hopWith   = regexp.MustCompile(`(?i)\bwith\s+([A-Z0-9-]+)`)
	hopTLS    = regexp.MustCompile(`(?i)\bTLS ?v?_?1(?:[._]([0-3]))?`)
	comments  = regexp.MustCompile(`\([^()]*\)`)
	htmlNote  = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)`)
	htmlTag   = regexp.MustCompile(`(?is)<(a|area|img)\b((?:"[^"]*"|'[^']*'|[^>"'])*)>`)
	attribute = regexp.MustCompile(`(?is)(?:^|[\s"'])(href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

// parseHop reads a Received field (RFC 5321, section 4.4).
func parseHop(v string) Hop {
	v = strings.Join(strings.Fields(v), " ")
	text, date := v, ""
	if i := strings.LastIndexByte(v, ';'); i >= 0 {
		text, date = v[:i], strings.TrimSpace(v[i+1:])
	}
	var h Hop
	bare := text // without comments, in which other words may stand
	for range 10 {
		next := comments.ReplaceAllString(bare, " ")
		if next == bare {
			break
		}
		bare = next
	}
	for _, f := range []struct {
		to *string
		re *regexp.Regexp
	}{{&h.From, hopFrom}, {&h.By, hopBy}, {&h.With, hopWith}} {
		if m := f.re.FindStringSubmatch(bare); m != nil {
			*f.to = clean(m[1])
		}
	}
	protocol := strings.ToUpper(h.With)
	switch m := hopTLS.FindStringSubmatch(text); {
	case m != nil && m[1] != "":
		h.TLS = "TLS 1." + m[1]
	case m != nil:
		h.TLS = "TLS 1.0"
	case strings.HasSuffix(protocol, "SMTPS") || strings.HasSuffix(protocol, "SMTPSA") || protocol == "LMTPS": // RFC 3848, RFC 6531
		h.TLS = "yes"
	}
	if t, err := mail.ParseDate(strings.TrimSpace(comments.ReplaceAllString(date, " "))); err == nil {
		h.Time = t
	}
	return h
}

// remote reports whether a hop went from one host to another by SMTP.
func (h Hop) remote() bool {
	return h.From != "" && h.From != "localhost" && strings.Contains(strings.ToUpper(h.With), "SMTP")
}

// links finds the hosts that the HTML of a message leads to.
func (a *Audit) links(raw []byte) {
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil && e == nil {
		return
	}
	e.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil && part == nil {
			return err
		}
		if t, _, _ := part.Header.ContentType(); strings.EqualFold(t, "text/html") {
			// What can be decoded of a damaged part counts.
			text, _ := io.ReadAll(part.Body)
			a.html(string(text))
		}
		return nil
	})
	for _, list := range []*[]string{&a.Hosts, &a.Pixels} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

func (a *Audit) html(text string) {
	for _, tag := range htmlTag.FindAllStringSubmatch(htmlNote.ReplaceAllString(text, ""), -1) {
		for _, m := range attribute.FindAllStringSubmatch(tag[2], -1) {
			u, err := url.Parse(strings.TrimSpace(html.UnescapeString(m[2] + m[3] + m[4])))
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
				continue
			}
			host := clean(strings.ToLower(u.Hostname()))
			switch image := strings.EqualFold(tag[1], "img"); {
			case image && strings.EqualFold(m[1], "src"):
				a.Pixels = append(a.Pixels, host)
			case !image && strings.EqualFold(m[1], "href"):
				a.Hosts = append(a.Hosts, host)
			}
		}
	}
}
