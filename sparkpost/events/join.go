package events

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// Relayed is a message that PowerMTA handed to SparkPost: a d record of the relay's virtual MTA.
type Relayed struct {
	// Time is timeLogged: when SparkPost accepted the message.
	Time time.Time
	// Rcpt, VMTA and Job are the record's rcpt, vmta and jobId.
	Rcpt, VMTA, Job string
	// ID is what the message carries in its metadata too, such as envId; needed when JoinOptions.ID is set.
	ID string
	// Line is where the record stands in its file, for reports; it means nothing here.
	Line int64
}

// Outcome is what became of a message at SparkPost.
type Outcome int

// The outcomes, from least to most that is known. Each goes before those above it in the list, whatever the order of events: a late
// bounce counts although there was a delivery.
const (
	// NoEvents is the zero Outcome: no event was found.
	NoEvents Outcome = iota
	// Accepted: there is an injection and nothing after it.
	Accepted
	// Delayed: attempts failed for the time being.
	Delayed
	// Delivered: the remote server accepted the message, and no bounce came back.
	Delivered
	// Bounced: the message failed for good, in the session or by expiry, or its recipient is suppressed.
	Bounced
	// Rejected: SparkPost refused the message or could not build it.
	Rejected
	// BouncedLater: a bounce came back after SparkPost had handed the message on.
	BouncedLater
)

// String returns the outcome in words.
func (o Outcome) String() string {
	names := []string{"no events", "accepted", "delayed", "delivered", "bounced", "rejected", "bounced later"}
	if o < 0 || int(o) >= len(names) {
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
	return names[o]
}

var outcomes = map[string]Outcome{
	"injection": Accepted, "delay": Delayed, "delivery": Delivered, "bounce": Bounced, "policy_rejection": Rejected,
	"generation_failure": Rejected, "generation_rejection": Rejected, "out_of_band": BouncedLater,
}

// Message is what the events of one message say.
type Message struct {
	// ID is message_id. Messages are told apart by it and the recipient.
	ID string
	// Rcpt is the recipient, as injected where an event has it so.
	Rcpt string
	// Injected is injection_time, or the timestamp of an injection event; zero when no event has either.
	Injected time.Time
	// Outcome is what became of it.
	Outcome Outcome
	// Complaint is whether the recipient complained.
	Complaint bool
	// Decided is the event that the outcome rests on; its zero value when only a complaint is known.
	Decided Event
}

// Verdict says how far the two sides of a [Joined] could be brought together.
type Verdict int

// The verdicts.
const (
	// Matched: one record and one message belong to each other and to no other.
	Matched Verdict = iota + 1
	// Ambiguous: several records or several messages have the same key and times too close to tell them apart. All of them are in
	// Joined, none is given to another.
	Ambiguous
	// OnlyRelayed: a record without a message: its events are missing, late or beyond the window, or it was not relayed.
	OnlyRelayed
	// OnlyMessage: a message without a record: it was not sent through this relay, or the record is missing or beyond the window.
	OnlyMessage
	// NoKey: a record or message that lacks what the key needs; Joined.Why says what.
	NoKey
)

// String returns the verdict in words.
func (v Verdict) String() string {
	names := []string{"invalid", "matched", "ambiguous", "only relayed", "only message", "no key"}
	if v < 0 || int(v) >= len(names) {
		return fmt.Sprintf("Verdict(%d)", int(v))
	}
	return names[v]
}

// Joined is one result of [Join].
type Joined struct {
	// Verdict says which of the slices are filled.
	Verdict Verdict
	// Relayed are the records: one when matched.
	Relayed []Relayed
	// Messages are the messages: one when matched.
	Messages []Message
	// Early says that the result was given before its window was over because JoinOptions.MaxPending was reached; what comes later
	// for it is reported on its own.
	Early bool
	// Why says in one line what the verdict rests on.
	Why string
}

// JoinOptions is for [Join]. The zero value joins by recipient, virtual MTA, job and time.
type JoinOptions struct {
	// Mapping restores virtual MTA and job of events. With nil, virtual MTAs are not compared.
	Mapping *Mapping
	// ID is the event's field, as in [Event.Lookup], that has Relayed.ID: rcpt_meta.envid, when the messages carry their envelope id
	// in their metadata. The key is then this id and the recipient, and nothing else. Without it, SparkPost knows of no id that
	// accounting files have: its answer to PowerMTA names a queue, not a message_id (API docs: SMTP).
	ID string
	// IgnoreJob leaves jobs out of the key, for streams whose campaign does not come from the job.
	IgnoreJob bool
	// Tolerance is how far timeLogged and the injection may be apart, clocks included; 2 minutes when 0. It does not apply with ID.
	Tolerance time.Duration
	// Window is how long after the newest time on both sides a message still waits for its record and its outcome; 96 hours when 0,
	// which is SparkPost's 72 hours of attempts and a day for what comes back. Memory grows with it.
	Window time.Duration
	// MaxPending is the most records and messages that wait, 200,000 when 0. Beyond it the oldest are given out early.
	MaxPending int
}

func (o JoinOptions) orDefault() JoinOptions {
	if o.Tolerance <= 0 {
		o.Tolerance = 2 * time.Minute
	}
	if o.Window <= 0 {
		o.Window = 96 * time.Hour
	}
	if o.MaxPending <= 0 {
		o.MaxPending = 200_000
	}
	return o
}

// Key says in words what Join joins on.
func (o JoinOptions) Key() string {
	if o.ID != "" {
		return "recipient and " + o.ID
	}
	parts := []string{"recipient"}
	if o.Mapping != nil {
		parts = append(parts, "virtual MTA")
	}
	if !o.IgnoreJob {
		parts = append(parts, "job")
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(", and times at most %v apart", o.orDefault().Tolerance)
}

// Join brings together the records of a relay and the events of the same messages, and so gives the true outcome of each relayed
// message. Every record is in exactly one result, and so is every message that has events, unless its events are further apart than
// the window allows. An event that lacks what the key needs goes with its message when that is known by then, and is a result of its
// own otherwise. Events of other types than those of messages, and inbound ones, are passed over.
//
// Both sides come about in order of time, with what is out of order inside the window; Join reads from the side that is behind. An
// error of either side is yielded and ends the join. The result can be ranged over as often as the arguments can.
func Join(relayed iter.Seq2[Relayed, error], events iter.Seq2[Event, error], options JoinOptions) iter.Seq2[Joined, error] {
	return func(yield func(Joined, error) bool) {
		nextR, stopR := iter.Pull2(relayed)
		defer stopR()
		nextE, stopE := iter.Pull2(events)
		defer stopE()
		j := newJoiner(options.orDefault())
		openR, openE := true, true
		for openR || openE {
			if openR && (!openE || !j.newestE.Before(j.newestR)) {
				r, err, ok := nextR()
				switch {
				case ok && err != nil:
					yield(Joined{}, err)
					return
				case ok:
					j.addRelayed(r)
				}
				openR = ok
			} else {
				e, err, ok := nextE()
				switch {
				case ok && err != nil:
					yield(Joined{}, err)
					return
				case ok:
					j.addEvent(e)
				}
				openE = ok
			}
			j.settle(j.watermark(openR, openE))
			if !j.deliver(yield) {
				return
			}
		}
		j.settle(forever)
		j.deliver(yield)
	}
}
