package routing

import (
	"maps"
	"net/netip"
	"strings"
)

// Method is the way in which a message is handed in. The zero value is SMTP.
type Method string

// The ways in (guide 8.4, 10.19).
const (
	SMTP   Method = "smtp"
	API    Method = "api"    // a submission API of the product, which speaks SMTP with additions
	Pickup Method = "pickup" // a file in the pickup folder
	HTTP   Method = "http"   // the HTTP Transmissions API
)

// Header is a header field of a message.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"` // all that stands behind the colon, the blank and inner line ends included, since patterns see them (guide 3.3.14.1); without the last line end
}

// ParseHeader reads "Name: value". It is false without a colon behind a name.
func ParseHeader(s string) (Header, bool) {
	name, value, ok := strings.Cut(strings.TrimRight(s, "\r\n"), ":")
	return Header{strings.TrimSpace(name), value}, ok && strings.TrimSpace(name) != ""
}

// MX is a host that takes the mail of a domain, as DNS has it.
type MX struct {
	Host       string `json:"host"`
	Preference int    `json:"preference"`
}

// Message is what is known of a message when it comes in. The zero value is one by SMTP, of which nothing is known. What is not known
// is left out of the answer's grounds, and the trail says so.
type Message struct {
	Method    Method         // how it comes in
	Client    netip.Addr     // who hands it in; for SMTP and API
	Listener  netip.AddrPort // the local address and port that the client is connected to
	User      string         // the authenticated user; empty for none
	Headers   []Header       // in the order of the message
	From      string         // MAIL FROM without <>; empty for the null sender
	To        string         // the recipient that the answer is about, without <>
	Also      []string       // further recipients of the same message, which patterns see too (guide 3.3.14.3)
	MergeVMTA string         // the mailmerge variable *vmta; empty when it is not set
	SetVMTA   string         // what the API's setVirtualMta names; empty when it was not called
	MX        []MX           // the MX hosts of the recipient's domain, which <mx-rollup-list> goes by; nil when they are not known
}

// domainOf is the domain of an address.
func domainOf(address string) string {
	return strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], ".")
}

// State is what routing remembers from one message to the next. The zero value is a server that has just started, on the first day of
// its limits. It is not safe for use in several goroutines at once.
type State struct {
	// Day is the number of the day that max-cold-virtual-mta-msg goes by, from 1; 0 means 1. See the doubt cold-day.
	Day int
	// Backoff holds the queues that are in back-off mode, as Queue.String gives them, in lower case for the domain.
	Backoff map[string]bool

	turns map[string]uint64 // messages that a pool, or the cold VMTAs of a queue, have had
	cold  map[string]int64  // messages of today, by queue and cold VMTA
}

// Clone gives a copy that goes its own way.
func (s *State) Clone() *State {
	return &State{Day: s.Day, Backoff: maps.Clone(s.Backoff), turns: maps.Clone(s.turns), cold: maps.Clone(s.cold)}
}

// NextDay starts the next day: the counts of messages for cold VMTAs are those of a day (guide 10.7.1).
func (s *State) NextDay() {
	s.Day = s.day() + 1
	s.cold = nil
}

func (s *State) day() int { return max(s.Day, 1) }

// Verdict says what becomes of a message.
type Verdict string

// The verdicts.
const (
	Queued  Verdict = "queued"  // it waits in a queue
	Refused Verdict = "refused" // it is not accepted
	Bounced Verdict = "bounced" // it is accepted, and bounces when it is to be delivered
)

// HopKind says how mail leaves a queue.
type HopKind string

// The ways out.
const (
	ToMX        HopKind = "mx"        // to the MX hosts of Hop.To
	ToHosts     HopKind = "hosts"     // to smtp-hosts or route
	ToAddress   HopKind = "address"   // to the address of a domain literal
	ToSparkPost HopKind = "sparkpost" // to SparkPost, by {sparkpost} (guide 3.3.10.99)
	ToFile      HopKind = "file"      // type file
	ToPipe      HopKind = "pipe"      // type pipe
	ToDiscard   HopKind = "discard"   // type discard
	ToHTTP      HopKind = "http"      // type http-delivery
	ToInternal  HopKind = "internal"  // a reserved queue of the product, such as {feedbackLoop}
)

// Hop is where mail of a queue goes next. The zero value is no hop.
type Hop struct {
	Kind HopKind `json:"kind,omitempty"`
	To   string  `json:"to,omitempty"`   // the domain, hosts, address, folder, command or URL, as the configuration has it
	Port string  `json:"port,omitempty"` // default-smtp-port, for hosts that name none; for SMTP only

	// Keyless is set when mail goes to SparkPost and no auth-password holds for the queue: SparkPost will not accept it.
	Keyless bool `json:"keyless,omitempty"`
}

// Outcome is where a message goes. Outcomes can be compared with ==.
type Outcome struct {
	Verdict  Verdict `json:"verdict"`
	Reason   string  `json:"reason,omitempty"`   // why it was refused or bounces
	Selected string  `json:"selected,omitempty"` // the VMTA or pool that was selected; empty when it was refused before
	Pool     string  `json:"pool,omitempty"`     // the pool, when one was selected
	VMTA     string  `json:"vmta,omitempty"`     // the VMTA whose queue it waits in
	Domain   string  `json:"domain,omitempty"`   // the domain of that queue, in the spelling of the message or of queue-to
	Hop      Hop     `json:"hop,omitzero"`       // where it goes from there
	Priority int     `json:"priority"`           // recipient-priority within the queue, 0 to 100; 50 when nothing sets it (guide 3.3.14)
}

// Queue is the queue that the message waits in, zero when it waits in none.
func (o Outcome) Queue() Queue { return Queue{Domain: o.Domain, VMTA: o.VMTA} }

// Step is one decision on the way of a message.
type Step struct {
	Stage   Stage  `json:"stage"`
	Rule    string `json:"rule"`              // what was decided, one line
	Section string `json:"section,omitempty"` // sections of the 5.0 guide that say so
	At      *Line  `json:"at,omitempty"`      // the line that decided; nil for a default
}

// Stage is a part of the way of a message.
type Stage string

// The stages, in the order of the way.
const (
	AtSource  Stage = "source"   // which settings hold for the client
	AtRelay   Stage = "relay"    // whether it may hand the message in
	AtSelect  Stage = "select"   // which VMTA or pool is selected
	AtAlias   Stage = "alias"    // whether the recipient stands for another
	AtPool    Stage = "pool"     // which line of the pool has its turn
	AtQueueTo Stage = "queue-to" // whether another queue takes the domain's mail
	AtRollup  Stage = "rollup"   // whether a rollup queue does
	AtCold    Stage = "cold"     // whether a cold VMTA takes it
	AtReroute Stage = "reroute"  // whether the queue moves it to another VMTA
	AtHop     Stage = "hop"      // where it goes from the queue
	AtNote    Stage = "note"     // what is worth knowing beside
	AtFault   Stage = "fault"    // what is wrong: a name that nothing defines, a circle, a value that cannot be read
)

// Answer is where a message goes, and why.
type Answer struct {
	Outcome
	Steps  []Step          `json:"steps"`            // each decision, in order
	Doubts []Open[Outcome] `json:"doubts,omitempty"` // other outcomes under other readings
}

// hasDomain reports whether an address has a domain.
func hasDomain(address string) bool { return strings.IndexByte(address, '@') >= 0 }
