package sparkposttest

import (
	"net/http"
	"slices"
	"strings"
)

type verifyBody struct {
	DKIM          bool   `json:"dkim_verify"`
	CNAME         bool   `json:"cname_verify"`
	PostmasterAt  bool   `json:"postmaster_at_verify"`
	AbuseAt       bool   `json:"abuse_at_verify"`
	MailboxVerify bool   `json:"verification_mailbox_verify"`
	Mailbox       string `json:"verification_mailbox"`
}

// verifyDomain runs the look-ups. Mails are not sent: those statuses stay as they are.
func (s *Server) verifyDomain(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	var b verifyBody
	r.decode(&b)
	if b.MailboxVerify && b.Mailbox == "" {
		return fail(http.StatusBadRequest, item{Message: "required parameter missing", Code: "1401", Description: "verification_mailbox"})
	}
	dns := map[string]string{}
	if b.DKIM {
		record, text := s.lookDKIM(d)
		d.dkim = "valid"
		if record != "" {
			dns["dkim_record"] = record
		}
		if text != "" {
			d.dkim, dns["dkim_error"] = "invalid", text
		}
	}
	if b.CNAME {
		record, text := s.lookCNAME(d)
		d.cname = "valid"
		if record != "" {
			dns["cname_record"] = record
		}
		if text != "" {
			d.cname, dns["cname_error"] = "invalid", text
		}
	}
	if b.MailboxVerify {
		d.mailbox = b.Mailbox
	}
	m := d.status()
	if b.DKIM || b.CNAME {
		m["dns"] = dns
	} else if b.MailboxVerify { // as the documented answer to a mailbox alone
		delete(m, "cname_status")
		delete(m, "mx_status")
	}
	return results(m)
}

// lookDKIM returns the record found for the default key and what is wrong with it.
func (s *Server) lookDKIM(d *domain) (record, text string) {
	if d.public == "" {
		return "", "domain has no DKIM key"
	}
	return s.lookKey(d.selector, d.signingDomain(), d.public)
}

func (s *Server) lookKey(selector, signing, public string) (record, text string) {
	if s.cfg.LookupTXT == nil {
		return "", "no DKIM record found"
	}
	records, err := s.cfg.LookupTXT(selector + "._domainkey." + signing)
	if err != nil || len(records) == 0 {
		return "", "no DKIM record found"
	}
	return records[0], checkRecord(records[0], public)
}

const bounceTarget = "sparkpostmail.com"

func (s *Server) lookCNAME(d *domain) (record, text string) {
	return s.lookAlias(d.name, bounceTarget)
}

// lookAlias returns the target of a CNAME record and what is wrong with it: it has to be one of those wanted.
func (s *Server) lookAlias(name string, wanted ...string) (target, text string) {
	if s.cfg.LookupCNAME == nil {
		return "", "no CNAME record found"
	}
	target, err := s.cfg.LookupCNAME(name)
	target = strings.TrimSuffix(strings.ToLower(target), ".")
	switch {
	case err != nil || target == "":
		return "", "no CNAME record found"
	case !slices.Contains(wanted, target):
		return target, "CNAME record points elsewhere"
	}
	return target, ""
}
