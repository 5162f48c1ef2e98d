package events

import (
	"strings"
	"time"
)

// converter makes the values of one record.
type converter struct {
	m      *Mapping
	e      Event
	record string
	logged time.Time
}

// value is the conversion for one column.
func (c *converter) value(column string) string {
	switch column {
	case "type":
		return c.record
	case "timeLogged":
		return c.time(c.logged)
	case "timeQueued":
		if t, ok := c.e.Time("injection_time"); ok {
			return c.time(t)
		}
	case "totalSecondsQueued":
		return c.queued()
	case "orig":
		return c.e.Text("msg_from")
	case "rcpt":
		if s := c.e.Text("raw_rcpt_to"); s != "" {
			return s
		}
		return c.e.Text("rcpt_to")
	case "dsnAction":
		return map[string]string{"d": "relayed", "b": "failed", "t": "delayed"}[c.record]
	case "dsnStatus":
		return c.status()
	case "dsnDiag":
		if s := c.diag(); s != "" {
			return "smtp;" + s
		}
	case "dsnMta", "dlvDestinationIp":
		return c.e.Text("ip_address")
	case "bounceCat":
		return category(c.e.Text("bounce_class"), c.status(), c.m.Category)
	case "srcType":
		return method(c.e.Text("recv_method"))
	case "srcMta":
		return c.e.Text("remote_addr")
	case "dlvType":
		return method(c.e.Text("delv_method"))
	case "dlvSourceIp":
		return c.e.Text("sending_ip")
	case "dlvSize":
		return c.e.Text("msg_size")
	case "jobId":
		return c.m.job(c.e)
	case "feedbackType":
		return c.e.Text("fbtype")
	case "reportingMTA":
		return c.e.Text("report_by")
	case "reportedDomain":
		return c.e.Text("report_to")
	}
	return ""
}

func (c *converter) time(t time.Time) string {
	if c.m.UnixTimes {
		return itoa(int(t.Unix()))
	}
	if c.m.Location != nil {
		t = t.In(c.m.Location)
	}
	return t.Format("2006-01-02 15:04:05-0700")
}

// queued is totalSecondsQueued. A bounce has no queue_time (API docs: Events).
func (c *converter) queued() string {
	if ms, ok := c.e.Int("queue_time"); ok && ms >= 0 {
		return itoa(int(ms / 1000))
	}
	if injected, ok := c.e.Time("injection_time"); ok && c.record == "b" && !c.logged.Before(injected) {
		return itoa(int(c.logged.Sub(injected) / time.Second))
	}
	return ""
}

// diag is the remote server's own words, or the normalised ones.
func (c *converter) diag() string {
	if s := c.e.Text("raw_reason"); s != "" {
		return s
	}
	return c.e.Text("reason")
}

func (c *converter) status() string {
	if c.record == "d" {
		return "2.0.0"
	}
	diag := c.diag()
	if s := enhanced(diag); s != "" {
		return s
	}
	code := strings.TrimSpace(c.e.Text("error_code"))
	if code == "" {
		code = diag
	}
	if replyCode(code) && (code[0] == '4' || code[0] == '5') {
		return code[:1] + ".0.0"
	}
	switch c.record {
	case "t":
		return "4.0.0"
	case "b":
		return "5.0.0"
	}
	return ""
}

// replyCode reports whether s begins with an SMTP reply code.
func replyCode(s string) bool {
	return len(s) >= 3 && s[0] >= '2' && s[0] <= '5' && isDigit(s[1]) && isDigit(s[2]) && (len(s) == 3 || !isDigit(s[3]))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// enhanced returns the status code of RFC 3463 at the beginning of a reply, behind its reply code if it has one.
func enhanced(s string) string {
	s = strings.TrimLeft(s, " ")
	if replyCode(s) {
		s = strings.TrimLeft(s[3:], " -")
	}
	parts := [3]int{}
	i := 0
	for n := range parts {
		start := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if parts[n] = i - start; parts[n] == 0 || parts[n] > 3 || n == 0 && parts[n] > 1 {
			return ""
		}
		if n == 2 {
			break
		}
		if i >= len(s) || s[i] != '.' {
			return ""
		}
		i++
	}
	if s[0] != '2' && s[0] != '4' && s[0] != '5' || i < len(s) && (s[i] == '.' || s[i] >= 0x80 || isWord(s[i])) {
		return ""
	}
	return s[:i]
}

func isWord(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func method(s string) string {
	switch s {
	case "esmtp":
		return "smtp"
	case "rest":
		return "api"
	}
	return s
}

// stream is where in PowerMTA an event belongs.
type stream struct{ vmta, pool, queue, missing string }

func (c *converter) stream() stream {
	var s stream
	s.vmta, s.missing = c.m.vmta(c.e)
	if s.vmta == "" {
		return s
	}
	s.pool = c.m.Pool[s.vmta]
	domain := c.e.Text("routing_domain")
	if domain == "" {
		domain = c.e.Text("recipient_domain")
	}
	if domain != "" {
		s.queue = domain + "/" + s.vmta
	}
	return s
}

// vmta is the virtual MTA of an event, or what is missing in the mapping.
func (m *Mapping) vmta(e Event) (name, missing string) {
	sub, pool := e.Text("subaccount_id"), e.Text("ip_pool")
	if sub == "" {
		sub = "0"
	}
	if v, ok := m.VMTA[sub+"/"+pool]; ok && pool != "" {
		return v, ""
	}
	if v, ok := m.VMTA[sub]; ok {
		return v, ""
	}
	if sub == "0" {
		return "", "no virtual MTA for the primary account (0)"
	}
	return "", "no virtual MTA for subaccount " + strings.Trim(short(sub), `"`)
}

func (m *Mapping) job(e Event) string {
	campaign := e.Text("campaign_id")
	if m == nil {
		return campaign
	}
	if job, ok := m.Job[campaign]; ok {
		return job
	}
	return campaign
}
