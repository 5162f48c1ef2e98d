package inject

import (
	"errors"
	"fmt"
	"strings"
)

// Stage is a step of the dialogue. Those up to RCPT have the names that swaks gives them in --quit-after.
type Stage string

// The stages, in their order.
const (
	AtStart      Stage = "START"      // before anything is sent: what the caller gave is judged
	AtConnect    Stage = "CONNECT"    // the connection, implicit TLS and the banner
	AtFirstHello Stage = "FIRST-EHLO" // the first EHLO
	AtTLS        Stage = "TLS"        // STARTTLS and the handshake
	AtHello      Stage = "EHLO"       // the EHLO that counts
	AtAuth       Stage = "AUTH"
	AtMail       Stage = "MAIL"
	AtRcpt       Stage = "RCPT"
	AtData       Stage = "DATA" // the command
	AtDot        Stage = "."    // the message and its answer
	AtQuit       Stage = "QUIT"
)

var quitStages = []Stage{AtConnect, AtFirstHello, AtTLS, AtHello, AtAuth, AtMail, AtRcpt}

func isQuitStage(s Stage) bool {
	for _, q := range quitStages {
		if q == s {
			return true
		}
	}
	return false
}

// Exit is how a dialogue went, as the exit codes of swaks say it.
type Exit int

// The codes of swaks that apply here.
const (
	ExitDone     Exit = 0  // no error
	ExitInput    Exit = 1  // what the caller gave cannot be sent
	ExitConnect  Exit = 2  // no connection
	ExitClosed   Exit = 6  // the connection ended unexpectedly
	ExitBanner   Exit = 21 // the banner
	ExitHello    Exit = 22 // the first EHLO
	ExitMail     Exit = 23 // MAIL
	ExitRcpt     Exit = 24 // no recipient was accepted
	ExitData     Exit = 25 // the DATA command
	ExitDot      Exit = 26 // the message was not accepted
	ExitQuit     Exit = 27 // QUIT, after the message was accepted
	ExitAuth     Exit = 28 // authentication
	ExitTLS      Exit = 29 // TLS
	ExitHelloTLS Exit = 32 // EHLO after STARTTLS
)

var exitTexts = map[Exit]string{
	ExitDone: "no error", ExitInput: "cannot be sent", ExitConnect: "cannot connect", ExitClosed: "connection closed unexpectedly",
	ExitBanner: "banner", ExitHello: "EHLO", ExitMail: "MAIL", ExitRcpt: "no recipient accepted", ExitData: "DATA",
	ExitDot: "message not accepted", ExitQuit: "QUIT", ExitAuth: "authentication", ExitTLS: "TLS", ExitHelloTLS: "EHLO after STARTTLS",
}

// String says what the code means, as "authentication".
func (e Exit) String() string {
	if text, ok := exitTexts[e]; ok {
		return text
	}
	return fmt.Sprintf("Exit(%d)", int(e))
}

// The kinds of errors, for errors.Is. The reasons of package crypto/x509, of contexts and of the network can be asked for besides.
var (
	// ErrInvalid is a server, message or number that cannot be meant. Nothing was sent.
	ErrInvalid = errors.New("invalid")
	// ErrNoTLS is a server without TLS where TLS was demanded: it offers no STARTTLS, or somebody on the way took the offer out.
	ErrNoTLS = errors.New("no TLS")
	// ErrUnsafe is a refusal to let credentials out without verified TLS 1.2 or later. They were not sent.
	ErrUnsafe = errors.New("unsafe for credentials")
	// ErrUnsupported is a server without an extension or mechanism that the message or the caller needs.
	ErrUnsupported = errors.New("not supported by the server")
	// ErrClosed is a connection that the server ended.
	ErrClosed = errors.New("connection closed by the server")
	// ErrUncertain is a message that the server may have accepted: the connection broke after its end had been sent.
	ErrUncertain = errors.New("may have been accepted")
)

// Error is a failed dialogue. No secret is in it.
type Error struct {
	Stage Stage  // where it failed
	Exit  Exit   // what swaks would exit with
	Reply *Reply // the server's reply, nil when it gave none
	Err   error  // the kind or the cause, nil when the reply says it all

	ended bool // by the caller
}

// Error returns one line, as "MAIL: 550 5.7.1 Unconfigured Sending Domain <shop.example>".
func (e *Error) Error() string {
	text := string(e.Stage)
	if e.Stage == AtDot {
		text = "end of the message"
	}
	if e.Reply != nil {
		text += ": " + strings.ReplaceAll(e.Reply.String(), "\n", " / ")
	}
	if e.Err != nil {
		text += ": " + strings.ReplaceAll(e.Err.Error(), "\n", " / ")
	}
	return "inject: " + text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether SparkPost advises to try again: a reply of 4xx, or a broken or slow connection before the message's end.
// What [ErrUncertain] says may arrive twice when it is sent again, and is not temporary.
func (e *Error) Temporary() bool {
	if e.Reply != nil {
		return e.Reply.Temporary()
	}
	return !e.ended && !errors.Is(e, ErrUncertain) && (e.Exit == ExitConnect || errors.Is(e, ErrClosed) || isTimeout(e.Err))
}

// kindError is a text with a kind.
type kindError struct {
	kind error
	text string
	err  error
}

func (e *kindError) Error() string   { return e.text }
func (e *kindError) Unwrap() []error { return nonNil(e.kind, e.err) }

func nonNil(errs ...error) []error {
	var some []error
	for _, err := range errs {
		if err != nil {
			some = append(some, err)
		}
	}
	return some
}

// invalidf is an error about what the caller gave.
func invalidf(format string, args ...any) error {
	return &Error{Stage: AtStart, Exit: ExitInput, Err: &kindError{ErrInvalid, fmt.Sprintf(format, args...), nil}}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// Reply is a reply of the server.
type Reply struct {
	Code     int    `json:"code"`               // as 250
	Enhanced string `json:"enhanced,omitempty"` // as "2.0.0"; "" without
	Text     string `json:"text"`               // without both, lines joined by "\n"; secrets are masked
}

// String returns the reply as it came, without the codes of all lines but the first.
func (r Reply) String() string {
	if r.Enhanced == "" {
		return fmt.Sprintf("%03d %s", r.Code, r.Text)
	}
	return fmt.Sprintf("%03d %s %s", r.Code, r.Enhanced, r.Text)
}

// Temporary reports whether the code is 4xx.
func (r Reply) Temporary() bool { return r.Code/100 == 4 }

// newReply reads the lines of a reply, which have no line ends.
func newReply(lines []string) *Reply {
	r := &Reply{}
	var texts []string
	for i, line := range lines {
		if i == 0 && len(line) >= 3 {
			for _, c := range []byte(line[:3]) {
				if c < '0' || c > '9' {
					r.Code = 0
					break
				}
				r.Code = r.Code*10 + int(c-'0')
			}
		}
		text := line[min(len(line), 4):]
		if code, rest, ok := strings.Cut(text, " "); ok && isEnhanced(code) && (r.Enhanced == "" || r.Enhanced == code) {
			r.Enhanced, text = code, rest
		}
		texts = append(texts, text)
	}
	r.Text = strings.Join(texts, "\n")
	return r
}

// isEnhanced reports whether a word is an enhanced status code (RFC 3463).
func isEnhanced(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || !strings.Contains("245", parts[0]) {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) < 1 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}
