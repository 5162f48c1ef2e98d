package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// sparkPost stands for SparkPost behind its SMTP relay: it signs, puts the bounce and tracking domains in, passes the message on to the
// recipient's server, and makes the events of it.
type sparkPost struct {
	relay *injecttest.Relay

	key                       *dkim.Key
	selector, domain          string // of the signature
	bounceDomain, trackDomain string
	pool, ip                  string // of the subaccount
	inbox                     *injecttest.Sink

	mu   sync.Mutex
	next int
	rows []row
}

// row is an event of a message.
type row map[string]any

func (p *sparkPost) start(cfg injecttest.Config) error {
	var err error
	p.relay, err = injecttest.ListenRelay(injecttest.RelayConfig{Listen: cfg, Route: p.route, Report: p.report, Hello: "mta1.sparkpost.example"})
	return err
}

// options are what X-MSYS-API says.
type options struct {
	Campaign string `json:"campaign_id"`
	Options  struct {
		IPPool string `json:"ip_pool"`
	} `json:"options"`
}

// route makes the message that leaves, and sends it to the recipient's server.
func (p *sparkPost) route(m *injecttest.Message, to string) (injecttest.Route, error) {
	p.mu.Lock()
	p.next++
	sum := sha256.Sum256(fmt.Append(nil, p.next, to))
	id := hex.EncodeToString(sum[:8])
	p.mu.Unlock()
	var api options
	text := header(m.Data, "X-MSYS-API")
	if text != "" {
		if err := json.Unmarshal([]byte(text), &api); err != nil {
			return injecttest.Route{}, &injecttest.Reply{Code: 550, Enhanced: [3]int{5, 6, 0}, Text: "JSON parsing error in X-MSYS-API"}
		}
	}
	pool := p.pool
	if api.Options.IPPool != "" {
		pool = api.Options.IPPool
	}
	track := "https://" + p.trackDomain
	head, body, _ := strings.Cut(string(without(m.Data, "X-MSYS-API")), "\r\n\r\n")
	body = strings.ReplaceAll(body, `href="https://`, `href="`+track+`/f/`+id+`/`)
	body = strings.Replace(body, "</body>", `<img src="`+track+`/q/`+id+`" alt="" width="1" height="1"></body>`, 1)
	protocol := "ESMTP"
	if m.TLS != nil {
		protocol = "ESMTPS"
	}
	received := fmt.Sprintf("Received: from %s (%s) by smtp.sparkpost.example with %s id %s;\r\n\t%s\r\n", m.Hello, m.Client.Addr(), protocol, id, m.Time.Format(time.RFC1123Z))
	var signed bytes.Buffer
	if err := p.key.SignMessage(&signed, strings.NewReader(received+head+"\r\n\r\n"+body), p.selector, p.domain); err != nil {
		return injecttest.Route{}, err
	}
	return injecttest.Route{
		VMTA: pool, Queue: id, Pool: api.Campaign, // for the events
		Addrs: []string{p.inbox.Addr()}, Roots: p.inbox.Roots(), ServerName: "localhost",
		From: "msprvs1=" + id + "@" + p.bounceDomain, Data: signed.Bytes(),
	}, nil
}

// report makes the event of an outcome (SparkPost's event reference).
func (p *sparkPost) report(o injecttest.RelayOutcome) {
	r := row{
		"type": map[injecttest.RelayResult]string{
			injecttest.Accepted: "injection", injecttest.Delivered: "delivery", injecttest.Delayed: "delay", injecttest.Bounced: "bounce",
		}[o.Result],
		"message_id": o.Route.Queue, "injection_time": unix(o.Queued), "timestamp": unix(o.Time), "campaign_id": o.Route.Pool, "ip_pool": o.Route.VMTA,
		"rcpt_to": strings.ToLower(o.To), "raw_rcpt_to": o.To, "msg_from": o.Route.From, "sending_ip": p.ip, "recv_method": "esmtp",
		"recipient_domain": domainOf(o.To), "routing_domain": domainOf(o.To), "sending_domain": p.domain,
	}
	if o.Message.Auth != nil {
		r["subaccount_id"] = fmt.Sprint(o.Message.Auth.Subaccount)
	}
	switch o.Result {
	case injecttest.Delivered:
		r["queue_time"], r["msg_size"], r["ip_address"], r["delv_method"], r["outbound_tls"] = fmt.Sprint(o.Time.Sub(o.Queued).Milliseconds()), fmt.Sprint(o.Size), o.Remote.Addr().String(), "esmtp", "1"
	case injecttest.Delayed, injecttest.Bounced:
		r["reason"], r["raw_reason"], r["bounce_class"] = o.Text(), o.Text(), "20"
		if o.Reply != nil {
			r["error_code"] = fmt.Sprint(o.Reply.Code)
		}
		if o.Result == injecttest.Bounced {
			r["bounce_class"] = "10"
		}
	}
	p.add(r)
}

// add gives an event its id.
func (p *sparkPost) add(r row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r["event_id"] = fmt.Sprint(900_000_000_000 + len(p.rows))
	p.rows = append(p.rows, r)
}

// later makes an event that comes back for a message that was delivered.
func (p *sparkPost) later(typ string, of row, more row) {
	r := row{}
	for k, v := range of {
		r[k] = v
	}
	delete(r, "queue_time")
	for k, v := range more {
		r[k] = v
	}
	r["type"] = typ
	p.add(r)
}

// events are those so far.
func (p *sparkPost) events() []row {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]row(nil), p.rows...)
}

// batch is a webhook's body.
func batch(rows []row) ([]byte, error) {
	list := make([]any, len(rows))
	for i, r := range rows {
		list[i] = map[string]any{"msys": map[string]any{"message_event": r}}
	}
	return json.Marshal(list)
}

func unix(t time.Time) string { return fmt.Sprint(t.Unix()) }

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// header is the value of a field of a message, unfolded, "" without it.
func header(data []byte, name string) string {
	for _, v := range all(data, name) {
		return v
	}
	return ""
}

// all are the values of a field.
func all(data []byte, name string) []string {
	head, _, _ := strings.Cut(string(data), "\r\n\r\n")
	var out []string
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(head), "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// without is a message without a field that is not folded.
func without(data []byte, name string) []byte {
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	var keep [][]byte
	for _, line := range bytes.Split(head, []byte("\r\n")) {
		if n, _, ok := bytes.Cut(line, []byte(":")); !ok || !strings.EqualFold(string(n), name) {
			keep = append(keep, line)
		}
	}
	return append(append(bytes.Join(keep, []byte("\r\n")), "\r\n\r\n"...), body...)
}
