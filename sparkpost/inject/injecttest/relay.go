package injecttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// RelayConfig describes a [Relay].
type RelayConfig struct {
	// Listen describes the receiving side. Its Handle, if there is one, is asked first; with Keep 0 no message is kept there.
	Listen Config
	// Route says where a message goes for one of its recipients; required. An error refuses the message, for all its recipients: with
	// the reply when it is a [*Reply], with 554 otherwise. It is called once for each recipient of each message, one call at a time.
	Route func(m *Message, to string) (Route, error)
	// Report gets each [RelayOutcome], one call at a time. nil reports nothing. What it reports of a recipient is one Accepted, then any
	// number of Delayed, then one Delivered or Bounced, unless it waits still.
	Report func(RelayOutcome)

	// Hello is the name that the relay gives itself. "" is that of the receiving side.
	Hello string
	// Connections is the most deliveries at a time. 0 is 8.
	Connections int
	// MaxQueued is the most recipients in the queue. 0 is 10,000. What comes beyond is answered with 452.
	MaxQueued int
	// MaxAttempts is how many attempts may fail before a recipient bounces. 0 is no limit.
	MaxAttempts int
	// Timeout is the longest wait for a connection and for each reply of the next hop. 0 is a minute.
	Timeout time.Duration
	// Public allows next hops that are not loopback addresses. Without it, mail that such a route asks for stays in the queue.
	Public bool
	// Dial makes the connections. nil is that of a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Relay takes mail as a [Sink] does and passes it on, one recipient a transaction and a connection, to where the caller's function says.
// It stands for an MTA between a client and sinks. The queue is in memory; what could not be delivered for the time being is tried
// again when [Relay.Retry] says so, and not by itself. DSN parameters are not passed on.
//
// Its methods are safe for concurrent use.
type Relay struct {
	cfg    RelayConfig
	sink   *Sink
	ctx    context.Context // ends with the relay
	cancel context.CancelFunc
	wg     sync.WaitGroup

	route    sync.Mutex // held while messages are routed
	messages int64      // accepted, under route
	report   sync.Mutex // held while outcomes are reported

	mu      sync.Mutex
	ready   []*job // to be tried
	active  []*job // being tried
	waiting []*job // to be tried again
	trying  int    // workers
	queued  int    // all that is neither delivered nor bounced
	changed chan struct{}
	closed  bool
}

// job is a recipient in the queue.
type job struct {
	id      int64
	message *Message
	to      string
	route   Route
	queued  time.Time
	attempt int // those that were made
}

// StartRelay runs a relay until the end of a test, which fails when it cannot be started.
func StartRelay(tb TB, cfg RelayConfig) *Relay {
	tb.Helper()
	r, err := ListenRelay(cfg)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// ListenRelay runs a relay until Close. The errors are those of [Listen], and one for a configuration without Route.
func ListenRelay(cfg RelayConfig) (*Relay, error) {
	if cfg.Route == nil {
		return nil, errors.New("injecttest: a relay needs Route")
	}
	listen := cfg.Listen.withDefaults()
	if cfg.Hello == "" {
		cfg.Hello = listen.Hostname
	}
	if cfg.Connections <= 0 {
		cfg.Connections = 8
	}
	if cfg.MaxQueued <= 0 {
		cfg.MaxQueued = 10_000
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	r := &Relay{cfg: cfg, changed: make(chan struct{})}
	r.cfg.Listen.Now = listen.Now
	r.ctx, r.cancel = context.WithCancel(context.Background())
	if cfg.Listen.Keep == 0 {
		cfg.Listen.Keep = -1
	}
	cfg.Listen.Handle = r.take
	var err error
	if r.sink, err = Listen(cfg.Listen); err != nil {
		r.cancel()
		return nil, err
	}
	return r, nil
}

// Addr returns the address that the relay listens on.
func (r *Relay) Addr() string { return r.sink.Addr() }

// Sink returns the receiving side: its roots, sessions and counts, and its faults.
func (r *Relay) Sink() *Sink { return r.sink }

// String returns the address.
func (r *Relay) String() string { return "injecttest.Relay(" + r.Addr() + ")" }

// GoString returns what String returns.
func (r *Relay) GoString() string { return r.String() }

// Format writes what String returns, for every verb.
func (r *Relay) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// Close ends the receiving side and all deliveries. Deliveries that it cuts are reported as Delayed. What waits is in Queued still. It
// may be called more than once.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	err := r.sink.Close()
	r.cancel()
	r.wg.Wait()
	return err
}

// Queued is a recipient that has been neither delivered nor bounced.
type Queued struct {
	ID      int64  // the number of the message, as in RelayOutcome
	To      string // the recipient
	Queued  time.Time
	Attempt int // how many attempts were begun
	Route   Route
}

// Queued returns what is in the queue, in the order of the messages. A delivery that is being tried is in it.
func (r *Relay) Queued() []Queued {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Queued
	for _, j := range slices.Concat(r.active, r.ready, r.waiting) {
		out = append(out, Queued{j.id, j.to, j.queued, j.attempt, j.route})
	}
	slices.SortStableFunc(out, func(a, b Queued) int { return int(a.ID - b.ID) })
	return out
}

// Retry tries all that waits again, and waits as Idle does.
func (r *Relay) Retry(ctx context.Context) error {
	r.mu.Lock()
	r.ready = append(r.ready, r.waiting...)
	r.start(len(r.waiting))
	r.waiting = nil
	r.mu.Unlock()
	return r.Idle(ctx)
}

// Idle waits until nothing is being tried: each recipient that was accepted is delivered, has bounced, or waits for Retry, and has been
// reported.
func (r *Relay) Idle(ctx context.Context) error {
	for {
		r.mu.Lock()
		busy, changed := r.trying, r.changed
		r.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("injecttest: the relay is busy: %w", ctx.Err())
		}
	}
}

// take is what the receiving side does with a message: all recipients are queued, or the message is refused.
func (r *Relay) take(got *Message) error {
	if h := r.cfg.Listen.Handle; h != nil {
		if err := h(got); err != nil {
			return err
		}
	}
	m := *got // the sink goes on with its own
	r.route.Lock()
	defer r.route.Unlock()
	jobs := make([]*job, 0, len(m.To))
	for _, to := range m.To {
		route, err := r.cfg.Route(&m, to.Addr)
		if err != nil {
			return err
		}
		jobs = append(jobs, &job{id: r.messages + 1, message: &m, to: to.Addr, route: route, queued: m.Time})
	}
	if err := r.reserve(len(jobs)); err != nil {
		return err
	}
	r.messages++
	for _, j := range jobs {
		r.tell(j.outcome(Accepted))
	}
	for _, j := range jobs {
		if j.route.Bounce == nil {
			continue
		}
		out := j.outcome(Bounced)
		out.Reply, out.Time = j.route.Bounce, r.cfg.Listen.Now()
		r.tell(out)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range jobs {
		if j.route.Bounce != nil {
			r.queued--
			continue
		}
		r.ready = append(r.ready, j)
		r.start(1)
	}
	return nil
}

// reserve makes room for n recipients.
func (r *Relay) reserve(n int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return &Reply{421, [3]int{4, 3, 2}, "shutting down"}
	case r.queued+n > r.cfg.MaxQueued:
		return &Reply{452, [3]int{4, 3, 1}, "the queue is full"}
	}
	r.queued += n
	return nil
}

// start lets workers go for n more that are ready. The lock is held.
func (r *Relay) start(n int) {
	for ; n > 0 && r.trying < r.cfg.Connections && r.ctx.Err() == nil; n-- {
		r.trying++
		r.wg.Go(r.work)
	}
}

// work tries what is ready until nothing is.
func (r *Relay) work() {
	for {
		r.mu.Lock()
		if len(r.ready) == 0 || r.ctx.Err() != nil {
			r.trying--
			close(r.changed)
			r.changed = make(chan struct{})
			r.mu.Unlock()
			return
		}
		j := r.ready[0]
		r.ready = r.ready[1:]
		j.attempt++
		r.active = append(r.active, j)
		r.mu.Unlock()
		out := r.try(j)
		r.tell(out)
		r.mu.Lock()
		r.active = slices.DeleteFunc(r.active, func(o *job) bool { return o == j })
		if out.Result == Delayed {
			r.waiting = append(r.waiting, j)
		} else {
			r.queued--
		}
		r.mu.Unlock()
	}
}

func (r *Relay) tell(out RelayOutcome) {
	r.report.Lock()
	defer r.report.Unlock()
	if r.cfg.Report != nil {
		r.cfg.Report(out)
	}
}
