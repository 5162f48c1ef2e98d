package sparkpost

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// VerifyStatus is the state of one check on a domain.
type VerifyStatus string

// The statuses.
const (
	// Unverified means that the check has not run.
	Unverified VerifyStatus = "unverified"
	// Pending means that the outcome is not known yet.
	Pending VerifyStatus = "pending"
	// Invalid means that the check ran and failed.
	Invalid VerifyStatus = "invalid"
	// Valid means that the check succeeded.
	Valid VerifyStatus = "valid"
)

// DomainStatus tells what SparkPost knows about a domain. Absent members are empty.
type DomainStatus struct {
	// OwnershipVerified is true as soon as one of the checks is valid.
	OwnershipVerified bool `json:"ownership_verified"`
	// DKIM is about the TXT record of the default key, CNAME about a bounce domain, MX about one on Enterprise.
	DKIM  VerifyStatus `json:"dkim_status,omitempty"`
	CNAME VerifyStatus `json:"cname_status,omitempty"`
	MX    VerifyStatus `json:"mx_status,omitempty"`
	// SPF is deprecated upstream.
	SPF VerifyStatus `json:"spf_status,omitempty"`
	// AbuseAt, PostmasterAt and Mailbox are about mails sent to an address at the domain.
	AbuseAt      VerifyStatus `json:"abuse_at_status,omitempty"`
	PostmasterAt VerifyStatus `json:"postmaster_at_status,omitempty"`
	Mailbox      VerifyStatus `json:"verification_mailbox_status,omitempty"`
	// MailboxName is the local part that a mail was last sent to when a mailbox of choice was asked for, "" when none was.
	MailboxName string `json:"verification_mailbox,omitempty"`
	// Compliance is "valid", "blocked", or "pending" during a review.
	Compliance string `json:"compliance_status,omitempty"`
}

// MaySend reports whether SparkPost accepts mail from the domain.
func (s DomainStatus) MaySend() bool { return s.OwnershipVerified && s.Compliance == "valid" }

// VerifyRequest chooses the checks to run. Several may be combined.
type VerifyRequest struct {
	// DKIM looks up the TXT record of the default key.
	DKIM bool `json:"dkim_verify,omitempty"`
	// CNAME looks up the record that makes the domain a bounce domain.
	CNAME bool `json:"cname_verify,omitempty"`
	// PostmasterAt and AbuseAt send a mail with a link to that address.
	PostmasterAt bool `json:"postmaster_at_verify,omitempty"`
	AbuseAt      bool `json:"abuse_at_verify,omitempty"`
	// Mailbox sends a mail with a link to this local part; "" sends none.
	Mailbox string `json:"verification_mailbox,omitempty"`
}

// Verification is the outcome of a check. It is returned for failed checks too: look at Status.
type Verification struct {
	// Domain is what was checked.
	Domain string `json:"-"`
	// Status is the domain's state after the check.
	DomainStatus
	// DNS is what the look-ups found; empty unless DKIM or CNAME was asked for.
	DNS struct {
		// DKIMRecord and CNAMERecord are values found.
		DKIMRecord  string `json:"dkim_record,omitempty"`
		CNAMERecord string `json:"cname_record,omitempty"`
		// DKIMError and CNAMEError say what was wrong, in free text.
		DKIMError  string `json:"dkim_error,omitempty"`
		CNAMEError string `json:"cname_error,omitempty"`
	} `json:"dns"`
}

// String returns one line such as "news.shop.example: dkim valid, cname invalid (no CNAME record found)".
func (v *Verification) String() string {
	var parts []string
	part := func(name string, s VerifyStatus, detail string) {
		if s == "" || s == Unverified && detail == "" {
			return
		}
		p := name + " " + string(s)
		if detail != "" {
			p += " (" + oneLine(detail, 200) + ")"
		}
		parts = append(parts, p)
	}
	part("dkim", v.DKIM, v.DNS.DKIMError)
	part("cname", v.CNAME, v.DNS.CNAMEError)
	part("mx", v.MX, "")
	part("abuse@", v.AbuseAt, "")
	part("postmaster@", v.PostmasterAt, "")
	part("mailbox", v.Mailbox, "")
	if v.Compliance != "" && v.Compliance != "valid" {
		parts = append(parts, "compliance "+v.Compliance)
	}
	if len(parts) == 0 {
		parts = []string{"nothing verified"}
	}
	return v.Domain + ": " + strings.Join(parts, ", ")
}

// Verify runs checks and returns their outcome. The error tells only whether they ran: SparkPost answers 200 for a failed check. Look-ups
// happen once, at the call; after publishing a record, ask again with growing pauses. Checks by mail are not repeated after an
// unknown outcome, because each mail voids the link in the one before.
func (d *Domains) Verify(ctx context.Context, name string, r VerifyRequest) (*Verification, error) {
	body := struct {
		VerifyRequest
		MailboxVerify bool `json:"verification_mailbox_verify,omitempty"`
	}{r, r.Mailbox != ""}
	c := call{op: "verify sending domain", method: http.MethodPost, path: []string{"sending-domains", name, "verify"},
		scope: d.scope, in: body, safe: !r.PostmasterAt && !r.AbuseAt && r.Mailbox == ""}
	if r == (VerifyRequest{}) {
		return nil, c.refuse(errors.New("no check chosen"))
	}
	out := &Verification{}
	c.out = out
	if err := d.api.do(ctx, c); err != nil {
		return nil, err
	}
	out.Domain = name
	return out, nil
}
