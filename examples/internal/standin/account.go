package standin

import (
	"fmt"

	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// types are the record types of the outcomes.
var types = map[injecttest.RelayResult]acct.Type{
	injecttest.Accepted: acct.Receipt, injecttest.Delivered: acct.Delivery, injecttest.Delayed: acct.Transient, injecttest.Bounced: acct.Bounce,
}

// report writes the record of an outcome (guide 11.2).
func (s *Server) report(o injecttest.RelayOutcome) {
	values := s.record(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return
	}
	if err := s.acct.WriteValues(values); err != nil {
		s.failed = fmt.Errorf("accounting file: %w", err)
		return
	}
	if err := s.acct.Flush(); err != nil {
		s.failed = fmt.Errorf("accounting file: %w", err)
	}
}

// record is the record of an outcome, by column.
func (s *Server) record(o injecttest.RelayOutcome) map[string]string {
	m := o.Message
	v := map[string]string{
		"type": string(types[o.Result]), "timeLogged": acct.FormatTime(o.Time), "orig": m.From, "rcpt": o.To, "srcType": "smtp", "srcMta": m.Hello,
		"vmta": o.Route.VMTA, "vmtaPool": o.Route.Pool, "jobId": s.job(s.message(m, o.To)), "envId": m.EnvelopeID,
	}
	if m.Auth != nil {
		v["rcvSmtpUser"] = m.Auth.User
	}
	if o.Result == injecttest.Accepted {
		v["rcvSourceIp"] = m.Client.Addr().String()
		if o.Route.Pool != "" { // the pool stands for the VMTA (guide 11.2.6)
			v["vmta"] = o.Route.Pool
		}
		return v
	}
	v["timeQueued"], v["queue"] = acct.FormatTime(o.Queued), o.Route.Queue
	v["dsnAction"] = map[injecttest.RelayResult]string{injecttest.Delivered: "relayed", injecttest.Delayed: "delayed", injecttest.Bounced: "failed"}[o.Result]
	v["dsnStatus"] = status(o)
	if o.Reply != nil {
		v["dsnDiag"] = "smtp;" + o.Reply.Error()
	} else if o.Err != nil {
		v["dsnDiag"] = "smtp;" + oneLine(o.Err.Error())
	}
	v["dsnMta"] = address(o.Route.ServerName, o.Remote)
	if o.Result != injecttest.Delivered {
		v["bounceCat"] = category(o)
	}
	if o.Local.IsValid() && o.Result != injecttest.Bounced {
		v["dlvType"], v["dlvSourceIp"], v["dlvDestinationIp"] = "smtp", o.Local.Addr().String(), o.Remote.Addr().String()
	}
	if o.Result == injecttest.Delivered {
		v["dlvSize"] = fmt.Sprint(o.Size)
	}
	if o.TLS != nil {
		v["dlvTlsProtocol"], v["dlvTlsCipher"] = o.TLS.Version, o.TLS.Cipher
	}
	return v
}

// status is the enhanced status of an outcome: the next hop's, or one that says no more than what is known.
func status(o injecttest.RelayOutcome) string {
	if r := o.Reply; r != nil {
		if x := r.Enhanced; x != [3]int{} {
			return fmt.Sprintf("%d.%d.%d", x[0], x[1], x[2])
		}
		return fmt.Sprintf("%d.0.0", r.Code/100)
	}
	if o.Result == injecttest.Bounced {
		return "5.4.7" // given up after failures that were temporary (RFC 3463, section 3.5)
	}
	return "4.4.1"
}

// category is a bounceCat that claims no more than the status does. PowerMTA goes by its patterns (guide 14.6).
func category(o injecttest.RelayOutcome) string {
	if o.Reply == nil {
		return "bad-connection"
	}
	switch o.Reply.Enhanced {
	case [3]int{5, 1, 1}:
		return "bad-mailbox"
	case [3]int{5, 1, 2}:
		return "bad-domain"
	case [3]int{4, 2, 2}, [3]int{5, 2, 2}:
		return "quota-issues"
	}
	return "other"
}
