package acct

import "slices"

// FieldInfo describes a column.
type FieldInfo struct {
	// Name is the column. One that ends in * stands for all that begin so.
	Name string
	// Types are the record types that have it; it is empty in records of others.
	Types []Type
	Means string // one line
	// SparkPost are the fields of a SparkPost event that hold the same, the nearest first; empty when there are none.
	SparkPost []string
	// Convert says how the one becomes the other; empty when the text is the same.
	Convert string
}

var (
	attempts = []Type{Delivery, Bounce, Transient}
	queued   = []Type{Delivery, Bounce, Transient, TransientQueue}
	messages = []Type{Delivery, Bounce, Transient, Receipt, RemoteBounce, RemoteStatus, FeedbackLoop}
	reported = []Type{Delivery, Bounce, Transient, Receipt, RemoteBounce, RemoteStatus}
	statuses = []Type{Delivery, Bounce, Transient, TransientQueue, RemoteBounce, RemoteStatus}
	local    = []Type{Delivery, Bounce, Transient, Receipt}
	reports  = []Type{RemoteBounce, RemoteStatus, FeedbackLoop}
	all      = []Type{Delivery, Bounce, Transient, TransientQueue, Receipt, RemoteBounce, RemoteStatus, FeedbackLoop}
)

// fields are the columns in the order that the guide's samples have them (11.2.3 to 11.2.9), the newer ones behind.
var fields = []FieldInfo{
	{"type", all, "record type", []string{"type"}, "by Types"},
	{"timeLogged", all, "when it was logged", []string{"timestamp"}, "local time with offset, or UNIX seconds, to UTC"},
	{"timeQueued", attempts, "when the message was queued", []string{"injection_time"}, "as timeLogged"},
	{"format", reports, "form of the report: dsn, qmail, mxl, brightmail, interscan, arf, jmrp, or a pattern file", nil, ""},
	{"orig", messages, "envelope sender", []string{"msg_from"}, "compare domains: SparkPost may show its own return path"},
	{"rcpt", messages, "recipient", []string{"raw_rcpt_to", "rcpt_to"}, "rcpt_to is in lower case"},
	{"orcpt", reported, "original recipient (ORCPT)", nil, ""},
	{"dsnAction", []Type{Delivery, Bounce, Transient, RemoteStatus}, "DSN action: relayed, delivered, failed, delayed", nil, "the event's type says it"},
	{"dsnStatus", statuses, "DSN status code with text", []string{"raw_reason", "error_code"}, "read it out of raw_reason; error_code is the SMTP reply code"},
	{"dsnDiag", statuses, "diagnostic, usually the SMTP reply", []string{"raw_reason", "reason"}, `PMTA puts "smtp;" before it`},
	{"dsnMta", statuses, "remote MTA", []string{"ip_address"}, "PMTA has name and address, SparkPost the address"},
	{"dsnReportingMta", []Type{RemoteBounce}, "MTA that reported", nil, ""},
	{"bounceCat", []Type{Delivery, Bounce, Transient, RemoteBounce, RemoteStatus}, "bounce category (guide 10.8.1)", []string{"bounce_class"}, "compare groups: the classifiers differ"},
	{"srcType", reported, "api or smtp", []string{"recv_method"}, "smtp is esmtp, api is rest"},
	{"srcMta", reported, "submitting MTA, as it greeted", []string{"remote_addr"}, "on policy_rejection alone, and the address alone"},
	{"rcvSourceIp", []Type{Receipt}, "address of the client", []string{"remote_addr"}, "on policy_rejection alone"},
	{"rcvDestinationIp", []Type{Receipt}, "local address", nil, ""},
	{"dlvType", queued, "smtp, pipe, discard or file", []string{"delv_method"}, "smtp is esmtp"},
	{"dlvSourceIp", []Type{Delivery, Bounce, Transient, TransientQueue, FeedbackLoop}, "local address used; in f, the MTA the mail came from", []string{"sending_ip"}, ""},
	{"dlvDestinationIp", queued, "remote address", []string{"ip_address"}, ""},
	{"dlvEsmtpAvailable", attempts, "ESMTP extensions of the remote MTA", nil, ""},
	{"dlvSize", attempts, "bytes; deprecated for b and t", []string{"msg_size"}, "SparkPost may change headers and links"},
	{"vmta", []Type{Delivery, Bounce, Transient, TransientQueue, Receipt}, "virtual MTA; in r, the pool if one was selected", []string{"ip_pool", "subaccount_id"}, "by the stream"},
	{"jobId", local, "job", []string{"campaign_id"}, "at most 64 bytes"},
	{"envId", []Type{Delivery, Bounce, Transient, Receipt, RemoteBounce, RemoteStatus, FeedbackLoop}, "DSN envelope ID", []string{"rcpt_meta"}, "SparkPost does not carry ENVID; put it into the metadata"},
	{"queue", queued, "domain/vmta, or the roll-up's name", []string{"routing_domain", "ip_pool"}, "domain and virtual MTA"},
	{"vmtaPool", local, "pool that was selected", []string{"ip_pool", "subaccount_id"}, "by the stream"},
	{"totalSecondsQueued", attempts, "seconds between reception and delivery", []string{"queue_time"}, "seconds to milliseconds; on bounce, timestamp less injection_time"},
	{"rcvSmtpUser", local, "user who submitted", []string{"subaccount_id"}, "when a user is a customer"},
	{"dlvTlsProtocol", attempts, "TLS version of the delivery", []string{"outbound_tls"}, "1 used, 0 not offered, -1 failed; no version"},
	{"dlvTlsCipher", attempts, "TLS cipher of the delivery", []string{"outbound_tls"}, "no cipher"},
	{"userString", []Type{Delivery, Bounce, Transient, TransientQueue, Receipt}, "text of user-string", nil, ""},
	{"feedbackType", []Type{FeedbackLoop}, "kind of complaint (ARF)", []string{"fbtype"}, ""},
	{"userAgent", []Type{FeedbackLoop}, "program that reported (ARF)", nil, "SparkPost's user_agent is another one"},
	{"reportingMTA", []Type{FeedbackLoop}, "MTA that reported (ARF)", []string{"report_by"}, "the nearest"},
	{"reportedDomain", []Type{FeedbackLoop}, "domain that was reported (ARF)", []string{"report_to"}, "the nearest"},
	{"repSourceIp", []Type{FeedbackLoop}, "address that the report came to", nil, ""},
	{"header_*", messages, "a header of the message, if record-fields asks for it", []string{"rcpt_meta", "subject", "friendly_from"}, "Subject and From; others go into the metadata"},
	{"arf_*", []Type{FeedbackLoop}, "any field of the ARF report", nil, ""},
}

// Fields lists the columns of the guide (11.2) with their SparkPost counterparts, in the order of Columns.
func Fields() []FieldInfo {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Types, out[i].SparkPost = slices.Clone(out[i].Types), slices.Clone(out[i].SparkPost)
	}
	return out
}

// Columns are the columns of a file that holds records of those types, or of all types when none is given: each field that one of
// them has, but for headers and other ARF fields, which record-fields must ask for. NewHeader takes them.
func Columns(types ...Type) []string {
	var out []string
	for i := range fields {
		f := &fields[i]
		if f.Name[len(f.Name)-1] == '*' {
			continue
		}
		if len(types) == 0 || slices.ContainsFunc(f.Types, func(t Type) bool { return slices.Contains(types, t) }) {
			out = append(out, f.Name)
		}
	}
	if len(out) == 0 {
		out = []string{"type"}
	}
	return out
}
