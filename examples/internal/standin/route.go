package standin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// sparkPostUser is the user name that {sparkpost} has built in: the guide is silent about it, SparkPost takes no other
// (SparkPost's SMTP documentation).
const sparkPostUser = "SMTP_Injection"

// route says where a message goes for one of its recipients.
func (s *Server) route(m *injecttest.Message, to string) (injecttest.Route, error) {
	if err := s.Err(); err != nil {
		return injecttest.Route{}, refuse(451, [3]int{4, 3, 0}, "the accounting file cannot be written")
	}
	asked := s.message(m, to)
	out := s.ix.Route(asked, s.state)
	switch out.Verdict {
	case routing.Refused:
		return injecttest.Route{}, refuse(550, [3]int{5, 7, 1}, "%s", oneLine(out.Reason))
	case routing.Bounced:
		return injecttest.Route{VMTA: out.VMTA, Pool: out.Pool, Queue: queueName(out), Bounce: bounce(out.Reason)}, nil
	}
	switch out.Hop.Kind {
	case routing.ToMX, routing.ToHosts, routing.ToAddress, routing.ToSparkPost:
	default:
		return injecttest.Route{}, refuse(554, [3]int{5, 3, 5}, "the stand-in delivers by SMTP alone, and this queue goes to: %s", oneLine(out.Hop.String()))
	}
	host, err := s.cfg.Host(out.Hop)
	if err != nil {
		return injecttest.Route{}, refuse(451, [3]int{4, 4, 4}, "%s", oneLine(err.Error()))
	}
	r := injecttest.Route{VMTA: out.VMTA, Pool: out.Pool, Queue: queueName(out), Addrs: host.Addrs, ServerName: host.ServerName}
	s.security(&r, out, host)
	r.Data, err = s.rewrite(m, asked, out)
	if err != nil {
		return injecttest.Route{}, refuse(451, [3]int{4, 3, 0}, "%s", oneLine(err.Error()))
	}
	return r, nil
}

// bounce is the reply for a reason of routing, which may begin with its status: "5.3.5: the VMTA does not exist".
func bounce(reason string) *injecttest.Reply {
	status, text, _ := strings.Cut(reason, ": ")
	var x [3]int
	if n, err := fmt.Sscanf(status, "%d.%d.%d", &x[0], &x[1], &x[2]); err != nil || n != 3 {
		x, text = [3]int{5, 4, 4}, reason
	}
	return refuse(550, x, "%s", oneLine(text))
}

// message is what routing wants to know.
func (s *Server) message(m *injecttest.Message, to string) *routing.Message {
	out := &routing.Message{Client: s.cfg.Client, From: m.From, To: to, Headers: headers(m.Data)}
	if !out.Client.IsValid() {
		out.Client = m.Client.Addr()
	}
	if m.Auth != nil {
		out.User = m.Auth.User
	}
	for _, r := range m.To {
		if r.Addr != to {
			out.Also = append(out.Also, r.Addr)
		}
	}
	return out
}

// security is what the queue says of TLS and AUTH (guide 3.3.10.53 to 56, 3.3.10.94).
func (s *Server) security(r *injecttest.Route, out routing.Outcome, host Host) {
	q := out.Queue()
	switch {
	case !s.on(q, "use-starttls"):
		r.TLS = injecttest.TLSNever
	case s.on(q, "require-starttls"):
		r.TLS = injecttest.TLSRequired
	}
	if s.value(q, "smtp-tls-ca-file") != "" {
		r.Roots = host.Roots
	}
	r.Account = injecttest.Account{User: s.value(q, "auth-username"), Password: s.secret(q, "auth-password")}
	if r.Account.User == "" && r.Account.Password != "" && out.Hop.Kind == routing.ToSparkPost {
		r.Account.User = sparkPostUser
	}
	if r.Account.Password == "" { // both are needed (guide 10.4.3)
		r.Account = injecttest.Account{}
	}
	r.ClearAuth = s.on(q, "use-unencrypted-plain-auth")
}

// rewrite is the message as it leaves: with its Received field, without what steered it, with X-MSYS-API and a signature where the queue
// says so.
func (s *Server) rewrite(m *injecttest.Message, asked *routing.Message, out routing.Outcome) ([]byte, error) {
	q := out.Queue()
	job := s.job(asked)
	var head bytes.Buffer
	if isOn(s.source(asked, "add-received-header")) {
		proto := "ESMTP"
		if m.TLS != nil {
			proto += "S"
		}
		if m.Auth != nil {
			proto += "A"
		}
		host := s.cfg.Listen.Hostname
		if host == "" {
			host = "standin.example"
		}
		fmt.Fprintf(&head, "Received: from %s (%s) by %s with %s;\r\n\t%s\r\n", token(m.Hello), m.Client.Addr(), host, proto, m.Time.Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	}
	drop := map[string]bool{
		"x-job":         isOn(s.source(asked, "process-x-job")) && !isOn(s.source(asked, "retain-x-job")),
		"x-virtual-mta": isOn(s.source(asked, "process-x-virtual-mta")) && !isOn(s.source(asked, "retain-x-virtual-mta")),
	}
	if s.on(q, "add-x-msys-api-header") {
		text, err := s.api(q, job)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&head, "X-MSYS-API: %s\r\n", text)
	}
	data := append(head.Bytes(), without(m.Data, drop)...)
	if s.cfg.Sign == nil || !s.on(q, "dkim-sign") {
		return data, nil
	}
	domain := fromDomain(asked.Headers)
	if domain == "" {
		return data, nil
	}
	return s.cfg.Sign(domain, data)
}

// api is the value of X-MSYS-API (guide 3.3.10.99).
func (s *Server) api(q routing.Queue, job string) (string, error) {
	type options struct {
		IPPool  string `json:"ip_pool,omitempty"`
		Sandbox bool   `json:"sandbox,omitempty"`
	}
	v := struct {
		Campaign string   `json:"campaign_id,omitempty"`
		Options  *options `json:"options,omitempty"`
	}{Campaign: job}
	if o := (options{s.value(q, "sparkpost-ip-pool"), s.on(q, "sparkpost-sandbox")}); o != (options{}) {
		v.Options = &o
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// job is the job id of a message (guide 3.3.7.45).
func (s *Server) job(m *routing.Message) string {
	if !isOn(s.source(m, "process-x-job")) {
		return ""
	}
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, "X-Job") {
			return token(strings.TrimSpace(h.Value))
		}
	}
	return ""
}

// token is text in which blanks and control characters, which a job id has none of, are replaced.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func queueName(out routing.Outcome) string {
	if out.VMTA == "" && out.Domain == "" {
		return ""
	}
	return out.Queue().String()
}

// fields cuts the header of a message into its fields, with their folds and line ends, and the rest.
func fields(data []byte) (list [][]byte, rest []byte) {
	start, at := 0, 0
	for at < len(data) {
		n := bytes.IndexByte(data[at:], '\n') + 1
		if n == 0 {
			n = len(data) - at
		}
		line := data[at : at+n]
		end := len(bytes.TrimRight(line, "\r\n")) == 0
		if at > start && (end || line[0] != ' ' && line[0] != '\t') {
			list = append(list, data[start:at])
			start = at
		}
		if end {
			return list, data[at:]
		}
		at += n
	}
	if at > start {
		list = append(list, data[start:at])
	}
	return list, nil
}

// headers are the fields of a message as routing takes them.
func headers(data []byte) []routing.Header {
	list, _ := fields(data)
	var out []routing.Header
	for _, f := range list {
		if h, ok := routing.ParseHeader(strings.TrimRight(string(f), "\r\n")); ok {
			out = append(out, h)
		}
	}
	return out
}

// without is the message without some fields, named in lower case.
func without(data []byte, drop map[string]bool) []byte {
	list, rest := fields(data)
	out := make([]byte, 0, len(data))
	for _, f := range list {
		name, _, _ := bytes.Cut(f, []byte(":"))
		if !drop[strings.ToLower(string(bytes.TrimSpace(name)))] {
			out = append(out, f...)
		}
	}
	return append(out, rest...)
}

// fromDomain is the domain of the From header, "" when there is none to be read.
func fromDomain(list []routing.Header) string {
	for _, h := range list {
		if !strings.EqualFold(h.Name, "From") {
			continue
		}
		r := bufio.NewReader(strings.NewReader("From:" + h.Value + "\r\n\r\n"))
		m, err := mail.ReadMessage(r)
		if err != nil {
			return ""
		}
		a, err := m.Header.AddressList("From")
		if err != nil || len(a) == 0 {
			return ""
		}
		return strings.ToLower(a[0].Address[strings.LastIndexByte(a[0].Address, '@')+1:])
	}
	return ""
}

// address is what dsnMta has of a next hop.
func address(name string, a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	if name == "" {
		return a.Addr().String()
	}
	return name + " (" + a.Addr().String() + ")"
}
