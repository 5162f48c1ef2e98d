package sparkposttest

import (
	"errors"
	"fmt"
	"time"
)

// Mail is a number of messages of one stream, and what became of them, for [Server.AddMail]. Messages are counted by their end: Delivered to
// Rejected add up to the messages; the fields after it count among the delivered ones.
type Mail struct {
	// Subaccount is the owner, 0 for the primary account.
	Subaccount int
	// Campaign, Template, SendingDomain, RecipientDomain and Provider are put into the events; "" leaves them out.
	Campaign, Template, SendingDomain, RecipientDomain, Provider string
	// IPPool is the pool; "" means the subaccount's, or the default one. SendingIP is an address; "" means the first of the pool, if any.
	IPPool, SendingIP string
	// At is the time of the injection; zero means that of Config.Now. What follows comes in steps of a second.
	At time.Time

	// Delivered were accepted by the recipient's server.
	Delivered int
	// HardBounced, SoftBounced, Blocked and Undetermined were refused by it (bounce classes 10, 20, 51 and 1).
	HardBounced, SoftBounced, Blocked, Undetermined int
	// Suppressed were not sent (class 25), Rejected not taken by SparkPost.
	Suppressed, Rejected int

	// Delayed were put off once before they were delivered.
	Delayed int
	// OutOfBand bounced after they were delivered (class 10).
	OutOfBand int
	// Complained, Unsubscribed, Opened and Clicked are what recipients did.
	Complained, Unsubscribed, Opened, Clicked int
}

// AddMail stores the events that the messages cause, as [Server.AddEvents] does. A negative number, and more of the delivered ones than were
// delivered, are errors, and nothing is stored.
func (s *Server) AddMail(m Mail) error {
	for _, n := range []int{m.Delivered, m.HardBounced, m.SoftBounced, m.Blocked, m.Undetermined, m.Suppressed, m.Rejected} {
		if n < 0 {
			return errors.New("sparkposttest: negative number of messages")
		}
	}
	for _, n := range []int{m.Delayed, m.OutOfBand, m.Complained, m.Unsubscribed, m.Opened, m.Clicked} {
		if n < 0 || n > m.Delivered {
			return fmt.Errorf("sparkposttest: %d of %d delivered messages", n, m.Delivered)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	base := s.mailBase(m)
	at := m.At
	if at.IsZero() {
		at = s.cfg.Now()
	}
	var err error
	put := func(kind string, after, message int, more Event) {
		e := Event{"type": kind, "timestamp": at.Add(time.Duration(after) * time.Second), "message_id": fmt.Sprintf("%012x%08x", s.mails, message)}
		for _, from := range []Event{base, more} {
			for k, v := range from {
				e[k] = v
			}
		}
		err = errors.Join(err, s.addEvent(e))
	}
	s.mails++
	for i := range m.Rejected {
		put("policy_rejection", 0, i, Event{"bounce_class": "25", "error_code": "550", "reason": "550 5.7.1 rejected by policy"})
	}
	n := m.Rejected
	for _, b := range []struct {
		count  int
		class  string
		reason string
	}{{m.HardBounced, "10", "550 5.1.1 no such user"}, {m.SoftBounced, "20", "450 4.2.0 try later"}, {m.Blocked, "51", "550 5.7.1 blocked"},
		{m.Undetermined, "1", "550 unknown"}, {m.Suppressed, "25", "554 5.7.1 recipient is suppressed"}} {
		for range b.count {
			put("injection", 0, n, nil)
			put("bounce", 1, n, Event{"bounce_class": b.class, "error_code": b.reason[:3], "reason": b.reason})
			n++
		}
	}
	for i := range m.Delivered {
		put("injection", 0, n, nil)
		retries := "0"
		if i < m.Delayed {
			retries = "1"
			put("delay", 1, n, Event{"bounce_class": "70", "error_code": "451", "reason": "451 4.7.0 greylisted", "num_retries": "0"})
		}
		put("delivery", 2, n, Event{"num_retries": retries, "queue_time": "2000"})
		for j, f := range []struct {
			count int
			kind  string
			more  Event
		}{{m.OutOfBand, "out_of_band", Event{"bounce_class": "10", "error_code": "550", "reason": "550 5.1.1 no such user"}},
			{m.Complained, "spam_complaint", nil}, {m.Unsubscribed, "list_unsubscribe", nil}, {m.Opened, "open", nil},
			{m.Clicked, "click", Event{"target_link_name": "link"}}} {
			if i < f.count {
				put(f.kind, 3+j, n, f.more)
			}
		}
		n++
	}
	return err
}

// mailBase returns what all events of m have in common. The lock is held.
func (s *Server) mailBase(m Mail) Event {
	base := Event{"msg_size": "1000"}
	if m.Subaccount != 0 {
		base["subaccount_id"] = m.Subaccount
	}
	if sub := s.subaccount(m.Subaccount); m.IPPool == "" && sub != nil {
		m.IPPool = sub.IPPool
	}
	if m.IPPool == "" {
		m.IPPool = "default"
	}
	for _, ip := range s.ips {
		if m.SendingIP == "" && ip.Pool == m.IPPool {
			m.SendingIP = ip.Address
		}
	}
	for name, v := range map[string]string{"campaign_id": m.Campaign, "template_id": m.Template, "sending_domain": m.SendingDomain,
		"recipient_domain": m.RecipientDomain, "mailbox_provider": m.Provider, "ip_pool": m.IPPool, "sending_ip": m.SendingIP} {
		if v != "" {
			base[name] = v
		}
	}
	return base
}
