package events

import (
	"cmp"
	"container/heap"
	"slices"
	"strconv"
	"strings"
	"time"
)

// forever is after every time of an event.
var forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// joiner holds what waits for its other half. Records and messages of one key are in one group; groups are in a heap by their oldest
// time.
type joiner struct {
	opt              JoinOptions
	words            string // the key
	newestR, newestE time.Time
	groups           map[string]*group
	messages         map[string]*waiting // by message id and recipient
	old              groupHeap
	pending          int
	out              []Joined
}

// group is what has the same key.
type group struct {
	key     string
	relayed []Relayed
	msgs    []*waiting
	due     time.Time // the oldest time in it
	at      int       // its place in the heap
}

// waiting is a message whose events are being gathered.
type waiting struct {
	Message
	name    string // in joiner.messages
	decided time.Time
}

func newJoiner(o JoinOptions) *joiner {
	return &joiner{opt: o, words: o.Key(), groups: map[string]*group{}, messages: map[string]*waiting{}}
}

// watermark is the time that both sides have reached.
func (j *joiner) watermark(openR, openE bool) time.Time {
	switch {
	case !openR && !openE:
		return forever
	case !openR:
		return j.newestE
	case !openE || j.newestR.Before(j.newestE):
		return j.newestR
	}
	return j.newestE
}

func (j *joiner) deliver(yield func(Joined, error) bool) bool {
	for _, r := range j.out {
		if !yield(r, nil) {
			return false
		}
	}
	j.out = j.out[:0]
	return true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// addRelayed puts a record into its group.
func (j *joiner) addRelayed(r Relayed) {
	j.newestR = later(j.newestR, r.Time)
	why := ""
	switch {
	case r.Rcpt == "":
		why = "the record has no recipient"
	case j.opt.ID != "" && r.ID == "":
		why = "the record has no id"
	case r.Time.IsZero():
		why = "the record has no time"
	}
	if why != "" {
		j.out = append(j.out, Joined{Verdict: NoKey, Relayed: []Relayed{r}, Why: why})
		return
	}
	g := j.group(j.key(r.Rcpt, r.ID, r.VMTA, r.Job))
	g.relayed = append(g.relayed, r)
	j.aged(g, r.Time)
}

// key is what a record and its message have in common. The parts cannot run into each other.
func (j *joiner) key(rcpt, id, vmta, job string) string {
	parts := []string{strings.ToLower(rcpt)}
	if j.opt.ID != "" {
		parts = append(parts, id)
	} else {
		if j.opt.Mapping != nil {
			parts = append(parts, vmta)
		}
		if !j.opt.IgnoreJob {
			parts = append(parts, job)
		}
	}
	return strings.Join(parts, "\x00")
}

func (j *joiner) group(key string) *group {
	g := j.groups[key]
	if g == nil {
		g = &group{key: key, due: forever}
		j.groups[key] = g
		heap.Push(&j.old, g)
	}
	return g
}

// aged notes that g got another member of the time t.
func (j *joiner) aged(g *group, t time.Time) {
	j.pending++
	if t.Before(g.due) {
		g.due = t
		heap.Fix(&j.old, g.at)
	}
}

// addEvent adds an event to its message.
func (j *joiner) addEvent(e Event) {
	at, timed := e.Time("timestamp")
	if timed {
		j.newestE = later(j.newestE, at)
	}
	outcome, decides := outcomes[e.Type]
	complaint := e.Type == "spam_complaint"
	if !decides && !complaint {
		return
	}
	rcpt := e.Text("raw_rcpt_to")
	if rcpt == "" {
		rcpt = e.Text("rcpt_to")
	}
	m := Message{ID: e.Text("message_id"), Rcpt: rcpt, Outcome: outcome, Complaint: complaint}
	if decides {
		m.Decided = e
	}
	injected, ok := e.Time("injection_time")
	if !ok && (e.Type == "injection" || outcome == Rejected) {
		injected, ok = at, timed
	}
	m.Injected = injected
	id := e.Text(j.opt.ID)
	why := ""
	switch {
	case m.ID == "":
		why = "the event has no message_id"
	case rcpt == "":
		why = "the event has no recipient"
	case j.opt.ID != "" && id == "":
		why = "the event has no " + j.opt.ID
	case !ok:
		why = "the event has no injection_time"
	}
	name := m.ID + "\x00" + strings.ToLower(rcpt)
	if w := j.messages[name]; w != nil && m.ID != "" {
		w.add(m, at)
		return
	}
	if why != "" {
		j.out = append(j.out, Joined{Verdict: NoKey, Messages: []Message{m}, Why: why})
		return
	}
	vmta := ""
	if j.opt.Mapping != nil {
		vmta, _ = j.opt.Mapping.vmta(e)
	}
	w := &waiting{Message: m, name: name, decided: at}
	j.messages[name] = w
	g := j.group(j.key(rcpt, id, vmta, j.opt.Mapping.job(e)))
	g.msgs = append(g.msgs, w)
	j.aged(g, injected)
}

// add takes over what another event of the message says. The outcome further down the list holds; of two that are alike the later
// one, so that a message's last delay is the one that is kept.
func (w *waiting) add(m Message, at time.Time) {
	w.Complaint = w.Complaint || m.Complaint
	if m.Outcome > w.Outcome || m.Outcome == w.Outcome && m.Outcome != NoEvents && at.After(w.decided) {
		w.Outcome, w.Decided, w.decided = m.Outcome, m.Decided, at
	}
}

// settle gives out the groups whose window is over at the time now, and the oldest when too many wait.
func (j *joiner) settle(now time.Time) {
	for len(j.old) > 0 {
		g := j.old[0]
		// A little late, so that a key with many messages is not cut for each one of them.
		over := now.Equal(forever) || g.due.Add(j.opt.Window+j.opt.Window/16).Before(now)
		early := !over && j.pending > j.opt.MaxPending
		if !over && !early {
			return
		}
		j.split(g, now, early)
	}
}

// split gives out the clusters of a group that are over, and keeps the rest. Early, it gives out the oldest quarter.
func (j *joiner) split(g *group, now time.Time, early bool) {
	all := j.clusters(g)
	rest := cluster{newest: forever}
	quota := len(all)/4 + 1
	for i, c := range all {
		if early && i < quota || now.Equal(forever) || c.newest.Add(j.opt.Window).Before(now) {
			j.give(c, early)
			continue
		}
		rest.relayed = append(rest.relayed, c.relayed...)
		rest.msgs = append(rest.msgs, c.msgs...)
		if c.newest.Before(rest.newest) {
			rest.newest = c.newest
		}
	}
	g.relayed, g.msgs, g.due = rest.relayed, rest.msgs, rest.newest
	if len(g.relayed)+len(g.msgs) > 0 {
		heap.Fix(&j.old, g.at)
		return
	}
	heap.Remove(&j.old, g.at)
	delete(j.groups, g.key)
}

// give makes results of a cluster.
func (j *joiner) give(c cluster, early bool) {
	j.pending -= len(c.relayed) + len(c.msgs)
	msgs := make([]Message, len(c.msgs))
	for i, w := range c.msgs {
		msgs[i] = w.Message
		delete(j.messages, w.name)
	}
	switch {
	case len(msgs) == 0:
		for _, r := range c.relayed {
			j.out = append(j.out, Joined{Verdict: OnlyRelayed, Relayed: []Relayed{r}, Early: early, Why: "no message with this key and time"})
		}
	case len(c.relayed) == 0:
		for _, m := range msgs {
			j.out = append(j.out, Joined{Verdict: OnlyMessage, Messages: []Message{m}, Early: early, Why: "no record with this key and time"})
		}
	case len(msgs) == 1 && len(c.relayed) == 1:
		j.out = append(j.out, Joined{Verdict: Matched, Relayed: c.relayed, Messages: msgs, Early: early, Why: "same " + j.words})
	default:
		j.out = append(j.out, Joined{Verdict: Ambiguous, Relayed: c.relayed, Messages: msgs, Early: early,
			Why: strconv.Itoa(len(c.relayed)) + " records and " + strconv.Itoa(len(msgs)) + " messages have the same " + j.words})
	}
}

// cluster is what may belong together: each record and message in it is near another one of the other side, or stands alone.
type cluster struct {
	relayed []Relayed
	msgs    []*waiting
	newest  time.Time
}

// clusters cuts a group. With ids all of it is one cluster. Else a record and a message belong together when they are within the
// tolerance, and so does whatever belongs to either.
func (j *joiner) clusters(g *group) []cluster {
	type point struct {
		at  time.Time
		rel *Relayed
		msg *waiting
	}
	points := make([]point, 0, len(g.relayed)+len(g.msgs))
	for i := range g.relayed {
		points = append(points, point{at: g.relayed[i].Time, rel: &g.relayed[i]})
	}
	for _, m := range g.msgs {
		points = append(points, point{at: m.Injected, msg: m})
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.at.Compare(b.at) })
	// Points that lie between two that belong together belong to them too, so clusters are runs. first[i] is the first point that
	// point i or any after it belongs with.
	first := make([]int, len(points))
	oldest := [2]int{} // on each side, the first point that may be near enough
	for i, p := range points {
		other := 0
		if p.rel != nil {
			other = 1
		}
		k := oldest[other]
		for k < i && ((points[k].rel != nil) == (p.rel != nil) || p.at.Sub(points[k].at) > j.opt.Tolerance) {
			k++
		}
		oldest[other], first[i] = k, k
	}
	for i := len(first) - 2; i >= 0; i-- {
		first[i] = min(first[i], first[i+1])
	}
	var out []cluster
	for i, p := range points {
		if len(out) == 0 || j.opt.ID == "" && first[i] == i {
			out = append(out, cluster{})
		}
		c := &out[len(out)-1]
		c.newest = later(c.newest, p.at)
		if p.rel != nil {
			c.relayed = append(c.relayed, *p.rel)
		} else {
			c.msgs = append(c.msgs, p.msg)
		}
	}
	return out
}

type groupHeap []*group

func (h groupHeap) Len() int { return len(h) }
func (h groupHeap) Less(a, b int) bool {
	return cmp.Or(h[a].due.Compare(h[b].due), cmp.Compare(h[a].key, h[b].key)) < 0
}
func (h groupHeap) Swap(a, b int) { h[a], h[b] = h[b], h[a]; h[a].at, h[b].at = a, b }

// Push adds a *group, for container/heap.
func (h *groupHeap) Push(x any) {
	g := x.(*group)
	g.at = len(*h)
	*h = append(*h, g)
}

// Pop removes the last one, for container/heap.
func (h *groupHeap) Pop() any {
	old := *h
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return g
}
