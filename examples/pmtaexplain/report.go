package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// explanation is one run of the command.
type explanation struct {
	*options
	config *pmtaconf.Config
	index  *routing.Index
	dir    string // of the files
}

// report is what the command has to say. Its JSON form is described in the package comment.
type report struct {
	Message  message         `json:"message"`
	Dir      string          `json:"dir"`
	Answer   *routing.Answer `json:"answer"`
	Spread   *spread         `json:"spread,omitempty"`
	Settings []group         `json:"settings"`
	Wrong    []fault         `json:"wrong"`

	pool *routing.Pool // that was selected, if one was
}

// message is what the flags say of the message.
type message struct {
	Method   routing.Method   `json:"method"`
	Client   string           `json:"client,omitempty"`
	Listener string           `json:"listener,omitempty"`
	User     string           `json:"user,omitempty"`
	Headers  []routing.Header `json:"headers,omitempty"`
	From     string           `json:"from"`
	To       string           `json:"to"`
}

// spread is where many messages go.
type spread struct {
	Messages int64                           `json:"messages"`
	Shares   []routing.Share                 `json:"shares"`
	Doubts   []routing.Open[[]routing.Share] `json:"doubts,omitempty"`
}

// group are settings of one thing.
type group struct {
	Scope    string           `json:"scope"` // the tag whose directives they are
	Of       string           `json:"of"`    // the queue, VMTA or client
	Settings []routing.Detail `json:"settings"`
}

// fault is something wrong.
type fault struct {
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// report works everything out.
func (x *explanation) report() (*report, error) {
	m := &x.message
	r := &report{Dir: x.dir, Answer: x.index.Explain(m, &x.state), Settings: []group{}, Wrong: []fault{}}
	r.Message = message{Method: cmp.Or(m.Method, routing.SMTP), User: m.User, Headers: m.Headers, From: m.From, To: m.To}
	if m.Client.IsValid() {
		r.Message.Client = m.Client.String()
	}
	if m.Listener.IsValid() {
		r.Message.Listener = m.Listener.String()
	}
	for p := range x.index.Pools() {
		if p.Name == r.Answer.Pool {
			r.pool = &p
		}
	}
	if x.n > 0 {
		r.Spread = &spread{x.n, x.index.Spread(m, &x.state, x.n), x.index.SpreadDoubts(m, &x.state, x.n)}
	}
	x.faults(r)
	var err error
	if len(x.settings) > 0 {
		r.Settings, err = x.named(r)
	} else if q := r.Answer.Queue(); q.Domain != "" {
		r.Settings = []group{
			{"domain", q.String(), x.chosen(x.index.Settings(q))},
			{"virtual-mta", q.VMTA, x.chosen(x.index.Settings(routing.Queue{VMTA: q.VMTA}))},
		}
	}
	return r, err
}

// faults collects what is wrong: the verdict, steps that say so, messages of -n that end otherwise, and what of the configuration could
// not be read, since the answer may be another one with it.
func (x *explanation) faults(r *report) {
	say := func(text, file string, line int) { r.Wrong = append(r.Wrong, fault{text, file, line}) }
	if r.Answer.Verdict != routing.Queued {
		say("the message is "+r.Answer.Outcome.String(), "", 0)
	}
	for _, s := range r.Answer.Steps {
		switch {
		case s.Stage != routing.AtFault:
		case s.At == nil:
			say(s.Rule, "", 0)
		default:
			say(s.Rule, s.At.File, s.At.Line)
		}
	}
	if r.Spread != nil {
		for _, s := range r.Spread.Shares {
			if s.Verdict != routing.Queued && s.Outcome != r.Answer.Outcome {
				say(fmt.Sprintf("%d of %d messages are %s", s.Messages, x.n, s.Outcome), "", 0)
			}
		}
	}
	for _, d := range slices.Concat(x.config.Diagnostics(), x.index.Faults()) {
		if d.Severity == pmtaconf.Error {
			say("the configuration: "+d.Message, d.File, d.Pos.Line)
		}
	}
}

// userInfo is a name and password in a URL.
var userInfo = regexp.MustCompile(`://[^/\s@"\\]*:[^/\s@"\\]*@`)

// hide takes passwords out of URLs; those of directives are masked already.
func hide(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return userInfo.ReplaceAllString(s, "://"+pmtaconf.Hidden+"@")
}

// writeJSON writes a value for programs.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, hide(b.String()))
	return err
}
