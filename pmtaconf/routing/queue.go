package routing

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// deliver carries the message from its VMTA to the queue that it waits in, and to the next hop (guide 3.3.10.31, 3.3.10.48 to
// 3.3.10.50, 10.17). It is false when the way ends before.
func (r *run) deliver() bool {
	first := r.touch(dReroute) == 1
	if first && !r.reroute() {
		return false
	}
	r.rollup(r.queueTo())
	if !r.cold() || !first && !r.reroute() {
		return false
	}
	if !r.backoff() {
		return false
	}
	r.out.Verdict = Queued
	r.hop()
	return true
}

// queueTo puts the message under the domain that queue-to names, and reports whether it did.
func (r *run) queueTo() bool {
	moved := false
	var room [8]string
	passed := append(room[:0], strings.ToLower(r.out.Domain))
	for {
		l := r.get(r.out.Domain, r.out.VMTA, r.ix.dir.queueTo)
		if l == nil {
			return moved
		}
		to, err := schema.ParseQueueTo(l.value)
		if err != nil || to == "" {
			r.fault("queue-to cannot be read", "3.3.10.31", l)
			return moved
		}
		target := strings.TrimSuffix(string(to), ".")
		key := strings.ToLower(target)
		if slices.Contains(passed, key) {
			if r.tracing() && key != passed[len(passed)-1] {
				r.fault("queue-to leads back to a queue that was passed", "3.3.10.31", l)
			}
			return moved
		}
		if moved && r.touch(dQueueChain) == 0 {
			return true
		}
		if r.tracing() {
			r.stepLine(AtQueueTo, "the mail is queued under "+target, "3.3.10.31; 10.9.1", l)
		}
		passed = append(passed, key)
		r.out.Domain = target
		moved = true
	}
}

// reroute moves the message to the VMTA that reroute-to-virtual-mta names. It is false when that does not exist.
func (r *run) reroute() bool {
	var passed []string
	for {
		l := r.get(r.out.Domain, r.out.VMTA, r.ix.dir.reroute)
		if l == nil || r.ix.key(l.value) == r.ix.key(r.out.VMTA) {
			return true
		}
		if len(passed) > 0 && r.touch(dRerouteChain) == 1 {
			return true
		}
		switch on, ok := r.toVMTA(l, &passed, "3.3.10.49"); {
		case !ok:
			return false
		case !on:
			return true
		}
	}
}

// backoff moves the message on while its queue is in back-off mode.
func (r *run) backoff() bool {
	var passed []string
	for {
		l := r.get(r.out.Domain, r.out.VMTA, r.ix.dir.backoffReroute)
		if l == nil || r.ix.key(l.value) == r.ix.key(r.out.VMTA) {
			return true // rerouting to itself is ignored
		}
		if !r.st.Backoff[r.queueKey()] {
			if r.tracing() {
				r.noteLine("in back-off mode its mail would move to "+l.value, "3.3.10.50; 10.3.2", l)
			}
			return true
		}
		switch on, ok := r.toVMTA(l, &passed, "3.3.10.50; 10.3.2"); {
		case !ok:
			return false
		case !on:
			return true
		}
	}
}

// queueKey is the queue as State.Backoff has it.
func (r *run) queueKey() string { return strings.ToLower(r.out.Domain) + "/" + r.out.VMTA }

// toVMTA moves the message to the VMTA that a reroute names. On says that it went; it is not ok when that VMTA does not exist.
func (r *run) toVMTA(l *line, passed *[]string, section string) (on, ok bool) {
	kind, v, _ := r.ix.resolve(l.value, r.seen)
	if kind != IsVMTA {
		if kind == IsPool {
			r.fault("a reroute cannot name a pool", section, l)
		} else {
			r.fault("the VMTA of a reroute does not exist; the fallback does not help", "3.3.1.33.2", l)
		}
		return false, r.bounce()
	}
	name := DefaultVMTA
	if v != nil {
		name = v.name
	}
	if name == r.out.VMTA || slices.Contains(*passed, name) {
		r.fault("the reroutes go in a circle: the mail stays in the last queue", section, l)
		return false, true
	}
	*passed = append(*passed, r.out.VMTA, name)
	if r.tracing() {
		r.stepLine(AtReroute, "the queue's mail moves to "+name, section, l)
	}
	r.out.VMTA = name
	if r.touch(dRerouteQueueTo) == 0 {
		r.queueTo()
	}
	return true, true
}

// cold lets a cold VMTA have the first messages of the day (guide 10.7.1).
func (r *run) cold() bool {
	if r.method != SMTP {
		return true
	}
	var room [4]string
	for passed := append(room[:0], r.out.VMTA); ; {
		limit, lines := r.coldLines()
		if len(lines) == 0 || len(passed) > 1 && r.touch(dColdChain) == 0 {
			return true
		}
		key := r.queueKey()
		start := r.turn("cold\x00" + key)
		var taken *line
		for i := range uint64(len(lines)) {
			l := &lines[(start+i)%uint64(len(lines))]
			if r.st.cold[key+"\x00"+l.value] < limit {
				taken = l
				break
			}
		}
		if taken == nil {
			r.note("the cold VMTAs have had their messages of the day", "10.7.1")
			return true
		}
		if r.move {
			if r.st.cold == nil {
				r.st.cold = make(map[string]int64)
			}
			r.st.cold[key+"\x00"+taken.value]++
		}
		kind, _, _ := r.ix.resolve(taken.value, r.seen)
		if kind == IsPool && r.touch(dPoolAsVMTA) == 1 {
			r.fault("cold-virtual-mta names a pool", "3.3.12.4", taken)
			return r.bounce()
		}
		if r.tracing() {
			r.stepLine(AtCold, "a cold VMTA takes it: "+taken.value, "3.3.10.48; 3.3.12.4; 10.7.1", taken)
		}
		pool := r.out.Pool
		r.out.Pool = ""
		if !r.take(taken.value) {
			return false
		}
		r.out.Pool = pool
		if slices.Contains(passed, r.out.VMTA) {
			return true
		}
		passed = append(passed, r.out.VMTA)
		r.queueTo()
	}
}

// coldLines gives the limit for each cold VMTA of the queue, and the lines that name them.
func (r *run) coldLines() (int64, []line) {
	l := r.get(r.out.Domain, r.out.VMTA, r.ix.dir.coldLimit)
	if l == nil {
		return 0, nil
	}
	limits, err := schema.ParseDailyLimits(l.value)
	if err != nil {
		r.fault("the limit cannot be read", "3.3.10.48", l)
		return 0, nil
	}
	var buf [4]candidate
	list := r.ix.ownCandidates(buf[:0], r.ix.vmta(r.out.VMTA, r.seen), r.seen)
	d, known := schema.Lookup("cold-virtual-mta", "virtual-mta")
	lines := r.ix.first(list, "virtual-mta", &d, known, r.ix.dir.cold, r.seen)
	if len(lines) == 0 || lines[0].cleared {
		r.fault("a limit without a cold-virtual-mta does nothing", "10.7.1", l)
		return 0, nil
	}
	limit := limits.On(r.st.day())
	for i := 1; r.seen != nil && i < len(limits); i++ {
		if limits[i] != limits[0] {
			r.seen.add(dColdDay)
		}
	}
	if limit == 0 {
		return 0, nil
	}
	return limit, lines
}

// hop says where the queue's mail goes.
func (r *run) hop() {
	o := &r.out
	get := func(id directiveID) *line { return r.get(o.Domain, o.VMTA, id) }
	d := strings.ToLower(o.Domain)
	braces := strings.HasPrefix(d, "{")
	kind := "smtp"
	if l := get(r.ix.dir.typ); l != nil {
		kind = strings.ToLower(l.value)
		ways := map[string]struct {
			kind HopKind
			id   directiveID
		}{"file": {ToFile, r.ix.dir.fileDestination}, "pipe": {ToPipe, r.ix.dir.command}, "http-delivery": {ToHTTP, r.ix.dir.deliveryURL}, "discard": {ToDiscard, -1}}
		if way, ok := ways[kind]; ok && !braces {
			o.Hop.Kind = way.kind
			r.stepLine(AtHop, "the queue is of another type than smtp", "3.3.10.51", l)
			if to := r.getKnown(way.id); to != nil {
				o.Hop.To = to.value
				r.stepLine(AtHop, "its destination", "3.3.10.96 to 3.3.10.98", to)
			}
			return
		}
	}
	if braces && d != "{sparkpost}" {
		o.Hop = Hop{Kind: ToInternal, To: o.Domain}
		r.note("a reserved queue of the product", "3.3.11.5")
		return
	}
	hosts, route := get(r.ix.dir.hosts), get(r.ix.dir.route)
	if route != nil && (hosts == nil || r.touch(dRouteHosts) == 1) {
		hosts = route
	}
	if d == "{sparkpost}" {
		o.Hop = Hop{Kind: ToSparkPost, To: o.Domain}
		if hosts != nil && r.touch(dSparkPostHosts) == 0 {
			o.Hop.To = hosts.value
		}
		r.stepLine(AtHop, "SparkPost takes it", "3.3.10.99", hosts)
		if o.Hop.Keyless = get(r.ix.dir.password) == nil; o.Hop.Keyless {
			r.fault("no auth-password holds for the queue: SparkPost will not accept the mail", "3.3.10.99", nil)
		}
		return
	}
	o.Hop = Hop{Kind: ToMX, To: o.Domain, Port: "25"}
	port := get(r.ix.dir.port)
	if port != nil {
		o.Hop.Port = port.value
		defer r.stepLine(AtHop, "the port, where no host names one", "3.3.10", port)
	}
	switch {
	case hosts != nil:
		o.Hop.Kind, o.Hop.To = ToHosts, hosts.value
		r.stepLine(AtHop, "these hosts take it", "3.3.10.87; 3.3.10.89", hosts)
	case isLiteral(d):
		o.Hop.Kind = ToAddress
		r.note("the address of the domain literal takes it", "3.2")
	case r.rolled != nil && len(r.rolled.hosts) > 0:
		o.Hop.Kind, o.Hop.To = ToHosts, strings.Join(r.rolled.hosts, ",")
		r.stepLine(AtHop, "the hosts of the rollup queue take it", "10.17", r.rolled.line)
	default:
		r.note("the MX hosts of the queue's domain take it", "3.3.10.89")
		if strings.HasSuffix(d, ".queue") || strings.HasSuffix(d, ".rollup") {
			r.fault("a queue whose name DNS does not know needs smtp-hosts", "10.9.1; 10.17", nil)
		}
	}
}

// getKnown is get for a directive that may not be there.
func (r *run) getKnown(id directiveID) *line {
	if id < 0 {
		return nil
	}
	return r.get(r.out.Domain, r.out.VMTA, id)
}

func isLiteral(d string) bool {
	if len(d) < 3 || d[0] != '[' || d[len(d)-1] != ']' {
		return false
	}
	_, err := netip.ParseAddr(strings.TrimPrefix(d[1:len(d)-1], "ipv6:"))
	return err == nil
}
