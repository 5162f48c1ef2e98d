package acct

import "slices"

// Type is the type of a record, in the short form that files have. Files may hold types that the guide does not list; they are
// records like any other.
type Type string

// The record types of the guide (3.3.11.11, 11.2).
const (
	Delivery       Type = "d"  // delivered
	Bounce         Type = "b"  // bounced here, not by a later report
	Transient      Type = "t"  // a temporary failure for a recipient
	TransientQueue Type = "tq" // a temporary failure of a whole queue
	Receipt        Type = "r"  // an accepted submission; its column vmta holds the pool if one was selected
	RemoteBounce   Type = "rb" // a bounce report that came back
	RemoteStatus   Type = "rs" // a report of delay or success that came back
	FeedbackLoop   Type = "f"  // a complaint
)

// TypeInfo describes a record type.
type TypeInfo struct {
	Type    Type     // the short form, which files have
	Names   []string // the long forms, which configurations may have; the usual one first
	Default bool     // whether PMTA writes it unless told what to write
	Means   string   // one line
	// Events are the SparkPost events that stand for the same thing, the nearest first; empty when there are none.
	Events []string
	// Note says where the two differ; empty for nowhere.
	Note string
}

var types = []TypeInfo{
	{Delivery, []string{"delivery"}, true, "the remote MTA accepted the message for the recipient", []string{"delivery"},
		"on a relay to SparkPost, d says only that SparkPost accepted the message, which is its injection"},
	{Bounce, []string{"bounce"}, true, "the delivery failed for good, expired, or was deleted here",
		[]string{"bounce", "policy_rejection", "generation_failure", "generation_rejection"},
		"a recipient that SparkPost suppresses is a bounce of class 25"},
	{Transient, []string{"transient"}, false, "an attempt failed for the time being", []string{"delay"}, ""},
	{TransientQueue, []string{"transient-queue"}, false, "an attempt failed for a whole queue", nil, "SparkPost reports by message alone"},
	{Receipt, []string{"receipt", "received"}, false, "a submission was accepted for the recipient", []string{"injection"},
		"mail that SparkPost rejects by policy has no injection"},
	{RemoteBounce, []string{"remote-bounce"}, false, "a bounce report came back after delivery", []string{"out_of_band"},
		"SparkPost sees it when the bounce domain points there"},
	{RemoteStatus, []string{"remote-status"}, false, "a report of delay or success came back", nil, ""},
	{FeedbackLoop, []string{"feedback-loop", "fbl"}, false, "a mailbox provider passed on a complaint", []string{"spam_complaint"},
		"SparkPost has the complaints about its own addresses"},
}

// Types lists the record types of the guide with their SparkPost counterparts.
func Types() []TypeInfo {
	out := slices.Clone(types)
	for i := range out {
		out[i].Names, out[i].Events = slices.Clone(out[i].Names), slices.Clone(out[i].Events)
	}
	return out
}

// ParseType reads the short form or a long one, as record-fields and records take them. It reports whether the guide has it.
func ParseType(s string) (Type, bool) {
	for i := range types {
		if string(types[i].Type) == s || slices.Contains(types[i].Names, s) {
			return types[i].Type, true
		}
	}
	return Type(s), false
}
