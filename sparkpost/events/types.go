package events

import (
	"cmp"
	"slices"
	"strings"
)

// Type is a type of event and its place in accounting files (API docs: Events).
type Type struct {
	// Name is the value of the field type.
	Name string
	// Class is the webhook wrapper it comes in.
	Class string
	// Record is the type of its accounting record: r, d, t, b, rb or f; "" when accounting files have none.
	Record string
}

const (
	message     = "message_event"
	track       = "track_event"
	generation  = "gen_event"
	unsubscribe = "unsubscribe_event"
	inbound     = "relay_event"
	abTest      = "ab_test_event"
	ingest      = "ingest_event"
)

// types are in the order of a message's life, by which records of the same second are sorted.
var types = []Type{
	{"injection", message, "r"},
	{"policy_rejection", message, "b"},
	{"generation_failure", generation, "b"},
	{"generation_rejection", generation, "b"},
	{"delay", message, "t"},
	{"delivery", message, "d"},
	{"bounce", message, "b"},
	{"sms_status", message, ""},
	{"out_of_band", message, "rb"},
	{"initial_open", track, ""},
	{"open", track, ""},
	{"click", track, ""},
	{"amp_initial_open", track, ""},
	{"amp_open", track, ""},
	{"amp_click", track, ""},
	{"list_unsubscribe", unsubscribe, ""},
	{"link_unsubscribe", unsubscribe, ""},
	{"spam_complaint", message, "f"},
	{"relay_injection", inbound, ""},
	{"relay_rejection", inbound, ""},
	{"relay_tempfail", inbound, ""},
	{"relay_delivery", inbound, ""},
	{"relay_permfail", inbound, ""},
	{"ab_test_completed", abTest, ""},
	{"ab_test_cancelled", abTest, ""},
	{"success", ingest, ""},
	{"error", ingest, ""},
}

// Types returns the types that this package knows, in the order of a message's life. Events of other types are decoded all the same.
func Types() []Type { return slices.Clone(types) }

func rank(name string) int {
	return slices.IndexFunc(types, func(t Type) bool { return t.Name == name })
}

// Sort puts events into the order of their accounting records: by timestamp, and within the same instant in the order of a
// message's life: injection, delays, delivery or bounce, then what comes back. Webhooks have whole seconds and
// batches come in no order, so this is the order within what is sorted together, and no more. Events that are alike in both stay
// as they were; events without a timestamp go last.
func Sort(events []Event) {
	type keyed struct {
		at    int64
		nano  int
		known bool
		rank  int
		event Event
	}
	keys := make([]keyed, len(events))
	for i, e := range events {
		t, ok := e.Time("timestamp")
		keys[i] = keyed{t.Unix(), t.Nanosecond(), ok, rank(e.Type), e}
	}
	slices.SortStableFunc(keys, func(a, b keyed) int {
		if a.known != b.known {
			if a.known {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.nano, b.nano), cmp.Compare(a.rank, b.rank))
	})
	for i := range keys {
		events[i] = keys[i].event
	}
}

// BounceClass is a class of SparkPost and the accounting category that stands for it (API docs: Bounce classification codes). The two classifiers
// differ: compare groups, not single messages.
type BounceClass struct {
	// Number is the value of bounce_class.
	Number int
	// Name and Group are SparkPost's; Group is Undetermined, Hard, Soft, Block or Admin.
	Name, Group string
	// Category is the bounceCat of PowerMTA that comes nearest without claiming more than the class does: a soft class never has a
	// category of unknown mailboxes or domains, and other stands where there is none.
	Category string
}

var bounceClasses = []BounceClass{
	{1, "Undetermined", "Undetermined", "other"},
	{10, "Invalid Recipient", "Hard", "bad-mailbox"},
	{20, "Soft Bounce", "Soft", "protocol-errors"},
	{21, "DNS Failure", "Soft", "routing-errors"},
	{22, "Mailbox Full", "Soft", "quota-issues"},
	{23, "Too Large", "Soft", "other"},
	{24, "Timeout", "Soft", "no-answer-from-host"},
	{25, "Admin Failure", "Admin", "other"},
	{30, "Generic Bounce: No RCPT", "Hard", "bad-mailbox"},
	{40, "Generic Bounce", "Soft", "other"},
	{50, "Mail Block", "Block", "policy-related"},
	{51, "Spam Block", "Block", "spam-related"},
	{52, "Spam Content", "Block", "spam-related"},
	{53, "Prohibited Attachment", "Block", "content-related"},
	{54, "Relaying Denied", "Block", "relaying-issues"},
	{60, "Auto-Reply", "Soft", "other"},
	{70, "Transient Failure", "Soft", "protocol-errors"},
	{80, "Subscribe", "Admin", "other"},
	{90, "Unsubscribe", "Hard", "other"},
	{100, "Challenge-Response", "Soft", "other"},
}

// BounceClasses returns the bounce classes by number. SparkPost may send others, such as 26; their category is other.
func BounceClasses() []BounceClass { return slices.Clone(bounceClasses) }

// expired is the status of a message that was given up (RFC 3463 section 3.5): class 24 with it has the category message-expired.
const expired = ".4.7"

// category is the accounting category of a bounce, "" without a class. Overrides go before the table.
func category(class, status string, overrides map[string]string) string {
	class = strings.TrimSpace(class)
	if c, ok := overrides[class]; ok {
		return c
	}
	if class == "" {
		return ""
	}
	if class == "24" && len(status) == 5 && strings.HasSuffix(status, expired) {
		return "message-expired"
	}
	for _, c := range bounceClasses {
		if class == itoa(c.Number) {
			return c.Category
		}
	}
	return "other"
}
