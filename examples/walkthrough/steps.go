package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/check"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/sparkpost/inject"
)

// Recipients of the single messages.
const (
	directTo = "direct@" + inboxDomain
	probeTo  = "probe@" + inboxDomain
	relayTo  = "relayed@" + inboxDomain
)

// send injects a message and notes how that went.
func send(ctx context.Context, s *step, name string, server *inject.Server, m *inject.Message) (*inject.Result, bool) {
	r, err := inject.Send(ctx, server, m)
	if err != nil {
		return r, s.check(name, false, "%v (swaks would exit with %d)", err, r.Exit)
	}
	return r, s.check(name, true, "%s", r.Reply)
}

// direct is step 1: a message into SparkPost, past PowerMTA.
func (w *world) direct(ctx context.Context, s *step) error {
	server, err := w.toSparkPost()
	if err != nil {
		return err
	}
	r, ok := send(ctx, s, "accepted", server, message(directTo, ""))
	if r.TLS != nil {
		s.check("TLS", r.TLS.Verified, "%s", or(r.TLS.Problem, r.TLS.Version+", "+r.TLS.Cipher+", certificate verified for "+r.TLS.ServerName))
	}
	if !ok {
		s.check("delivered", false, "nothing was accepted")
		return nil
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	return w.look(ctx, s, directTo)
}

// look is what a message that SparkPost has delivered must be like.
func (w *world) look(ctx context.Context, s *step, to string) error {
	got := w.arrived(to)
	if !s.check("delivered", len(got) == 1, "%d in the inbox of %s", len(got), to) {
		return nil
	}
	m := got[0]
	signatures, err := dkim.Verify(ctx, w.dns, bytes.NewReader(m.Data))
	if err != nil {
		return err
	}
	if s.check("one DKIM signature", len(signatures) == 1, "%d", len(signatures)) {
		judge(s, "DKIM", signatures[0])
	}
	equal(s, "bounce domain", domainOf(m.From), bounceDomain)
	links, ours := strings.Count(string(m.Data), "https://"), strings.Count(string(m.Data), "https://"+trackDomain+"/")
	plain := strings.Count(string(m.Data), "See https://www.") // in the text
	s.check("tracking domain", ours == 2 && links == ours+plain, "%d of the link and the pixel on %s", ours, trackDomain)
	s.check("X-MSYS-API is gone", header(m.Data, "X-MSYS-API") == "", "%s", or(header(m.Data, "X-MSYS-API"), "yes"))
	return nil
}

// judge notes whether a signature holds.
func judge(s *step, name string, g dkim.Signature) {
	if g.Err != nil {
		s.check(name, false, "s=%s d=%s: %v", g.Selector, g.Domain, g.Err)
		return
	}
	s.check(name, g.Domain == sendingDomain && g.Selector == selector, "s=%s d=%s verified", g.Selector, g.Domain)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// setUp is step 2: the configuration sends the pool's mail to SparkPost, safely, and can be brought back.
func (w *world) setUp(ctx context.Context, s *step) error {
	faults := 0
	for _, d := range check.Run(w.conf, nil) {
		if d.Severity == pmtaconf.Error {
			faults++
			s.check("configuration", false, "%v", d)
		}
	}
	if faults == 0 {
		s.check("configuration", true, "no errors")
	}
	ix, err := routing.New(w.conf, nil)
	if err != nil {
		return err
	}
	a := ix.Explain(&routing.Message{User: userName, From: sender, To: relayTo}, nil)
	s.check("route", a.VMTA == relayName && a.Hop.Kind == routing.ToSparkPost && !a.Hop.Keyless, "%s", a.Outcome)
	s.check("in doubt", len(a.Doubts) == 0, "%d readings of the guide that would change the route", len(a.Doubts))
	for _, want := range [][2]string{{"use-starttls", "yes"}, {"require-starttls", "yes"}, {"dkim-sign", "no"}} {
		d, _ := ix.Detail(a.Queue(), want[0])
		equal(s, want[0], d.Value, want[1])
	}
	user, err := inject.UserName(w.subaccount)
	if err != nil {
		return err
	}
	d, _ := ix.Detail(a.Queue(), "auth-username")
	equal(s, "auth-username", d.Value, user)
	return w.wayBack(s)
}

// wayBack takes the relay out of the configuration as it lies in its files, without writing.
func (w *world) wayBack(s *step) error {
	c, err := w.load()
	if err != nil {
		return err
	}
	if _, err := relay.Remove(c); err != nil {
		s.check("way back", false, "%v", err)
		return nil
	}
	same := string(c.Main().Bytes()) == w.before
	s.check("way back", same, "the file is as before, byte for byte: %v", same)
	return nil
}

// startTLS is step 3: a probe by way of the relay VMTA, and what the connection was like.
func (w *world) startTLS(ctx context.Context, s *step) error {
	if err := w.startPMTA(0); err != nil {
		return err
	}
	m := message(probeTo, "")
	m.VMTA = relayName
	before := len(w.sparkPost.relay.Sink().Sessions())
	if _, ok := send(ctx, s, "probe accepted", w.toPMTA(password), m); !ok {
		return nil
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	records, err := w.records(0)
	if err != nil {
		return err
	}
	last, ok := outcomeOf(records, probeTo)
	if !s.check("relayed", ok && last["type"] == "d" && last["vmta"] == relayName, "%s", describe(last)) {
		s.check("still queued", len(w.pmta.Relay().Queued()) > 0 || last["type"] == "b", "%d wait, nothing is lost", len(w.pmta.Relay().Queued()))
	}
	s.check("TLS", last["dlvTlsProtocol"] >= "TLS 1.2", "%s %s", or(last["dlvTlsProtocol"], "none"), last["dlvTlsCipher"])
	clear := 0
	for _, session := range w.sparkPost.relay.Sink().Sessions()[before:] {
		if session.TLS == nil {
			clear += len(session.Auth)
		}
	}
	s.check("key in clear text", clear == 0, "%d times", clear)
	return nil
}

// injection is step 4: the message generation's way in.
func (w *world) injection(ctx context.Context, s *step) error {
	_, err := inject.Send(ctx, w.toPMTA("another password"), message(relayTo, ""))
	var failed *inject.Error
	s.check("wrong password refused", errors.As(err, &failed) && failed.Exit == inject.ExitAuth, "%v", err)
	pass := password
	if w.fault == "user" {
		pass = "yesterday's password"
	}
	if _, ok := send(ctx, s, "accepted", w.toPMTA(pass), message(relayTo, "launch-2026")); !ok {
		return nil
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	records, err := w.records(0)
	if err != nil {
		return err
	}
	last, ok := outcomeOf(records, relayTo)
	s.check("relayed", ok && last["type"] == "d" && last["vmta"] == relayName && last["vmtaPool"] == poolName, "%s", describe(last))
	return nil
}

// endToEnd is step 5: the message that went through both is like the one of step 1, and SparkPost knows its stream.
func (w *world) endToEnd(ctx context.Context, s *step) error {
	if err := w.look(ctx, s, relayTo); err != nil {
		return err
	}
	for _, m := range w.arrived(relayTo) {
		hops := all(m.Data, "Received")
		s.check("way", len(hops) == 2 && strings.Contains(hops[0], "by smtp.sparkpost.example with ESMTPS") && strings.Contains(hops[1], "by mta1.acme.example with ESMTPSA"), "%d hops, each with TLS", len(hops))
	}
	for _, r := range w.sparkPost.events() {
		if r["type"] == "injection" && r["rcpt_to"] == relayTo {
			equal(s, "campaign", fmt.Sprint(r["campaign_id"]), "launch-2026")
			equal(s, "subaccount", fmt.Sprint(r["subaccount_id"]), fmt.Sprint(w.subaccount))
		}
	}
	return nil
}

// records are those of an accounting file, by column, the empty ones left out.
func (w *world) records(file int) ([]map[string]string, error) {
	var out []map[string]string
	for r, err := range acct.NewReader(bytes.NewReader(w.acct[file].Bytes()), "acct.csv", nil).All() {
		if err != nil {
			return nil, err
		}
		m := map[string]string{}
		for i, name := range r.Header().Names() {
			if v := string(r.Field(i)); v != "" {
				m[name] = v
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// outcomeOf is the last record of a recipient that is not of its receipt.
func outcomeOf(records []map[string]string, to string) (map[string]string, bool) {
	for _, m := range slices.Backward(records) {
		if m["rcpt"] == to && m["type"] != "r" {
			return m, true
		}
	}
	return nil, false
}

func describe(m map[string]string) string {
	if m == nil {
		return "no record in the accounting file"
	}
	return fmt.Sprintf("record of type %s, queue %s: %s", m["type"], m["queue"], m["dsnDiag"])
}
