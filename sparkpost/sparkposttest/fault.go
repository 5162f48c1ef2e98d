package sparkposttest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Fault spoils answers. The fields from Status on say how; they may be combined. Without any, the fault does nothing.
type Fault struct {
	// Method and Path choose the requests; Path is a prefix below /api/v1, such as "/sending-domains". "" chooses all.
	Method, Path string
	// Nth is the first chosen request to spoil, counted from 1 since Inject. 0 means 1.
	Nth int
	// Times is how many in a row are spoilt. 0 means one, a negative number all that follow.
	Times int
	// AfterEffect carries the request out first and spoils the answer only. Without it, Status, Drop, Reset and Hang prevent the effect.
	AfterEffect bool

	// Status, Header and Body replace the answer when Status is not 0.
	Status int
	Header http.Header
	Body   string
	// Drop closes the connection without an answer.
	Drop bool
	// Reset is Drop with a TCP reset instead of an orderly end.
	Reset bool
	// Hang gives no answer and keeps the connection until the client gives up.
	Hang bool
	// Hit is called when the fault strikes: after the effect, if there is one, and before the answer, if there is one. A test can end
	// a context or kill a process there. It may be called from several goroutines and may use the server.
	Hit func()
	// Cut carries the request out and breaks off in the middle of the answer; before it when the answer has no body (status 204).
	Cut bool
	// ContentType replaces that of the answer.
	ContentType string
	// Delay waits before anything else.
	Delay time.Duration
}

// TooManyRequests is a 429 as the API gives it. retryAfter, in whole seconds, is left out when 0.
func TooManyRequests(retryAfter time.Duration) Fault {
	f := Fault{Status: http.StatusTooManyRequests, Body: `{"errors":[{"message":"Too many requests"}]}`,
		Header: http.Header{"Content-Type": {"application/json"}}}
	if retryAfter > 0 {
		f.Header.Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	return f
}

// HTMLError is the page of a load balancer.
func HTMLError(status int) Fault {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return Fault{Status: status, Header: http.Header{"Content-Type": {"text/html"}},
		Body: "<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n"}
}

// fault counts the requests that a Fault chose.
type fault struct {
	Fault
	seen int
}

// Inject adds faults. When several fit a request, the one added first is used.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &fault{Fault: f})
	}
}

// take returns the fault for a request. The lock is held.
func (s *Server) take(r *request) Fault {
	var hit Fault
	for _, f := range s.faults {
		path := strings.TrimPrefix(r.URL.Path, "/api/v1")
		if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(path, f.Path) {
			continue
		}
		f.seen++
		past := f.seen - max(f.Nth, 1)
		if past >= 0 && (f.Times < 0 || past < max(f.Times, 1)) && !hit.spoils() {
			hit = f.Fault
		}
	}
	return hit
}

func (f Fault) spoils() bool {
	return f.Status != 0 || f.Drop || f.Reset || f.Hang || f.Hit != nil || f.Cut || f.ContentType != "" || f.Delay > 0
}

// effect reports whether the request is carried out.
func (f Fault) effect() bool { return f.AfterEffect || f.Cut || f.Status == 0 && !f.silent() }

// silent reports whether no answer is given.
func (f Fault) silent() bool { return f.Drop || f.Reset || f.Hang }

// send writes the answer in rec, spoilt by f. n is the index of the recorded request.
func (s *Server) send(hr *http.Request, w http.ResponseWriter, rec *httptest.ResponseRecorder, f Fault, n int) {
	status, header, body := rec.Code, rec.Header(), rec.Body.String()
	if f.Status != 0 {
		status, header, body = f.Status, f.Header, f.Body
	}
	s.mu.Lock()
	if !f.silent() {
		s.requests[n].Status = status
	}
	s.mu.Unlock()
	if f.Hit != nil {
		f.Hit()
	}
	if f.Hang {
		<-hr.Context().Done()
	}
	if f.Reset {
		reset(w)
	}
	if f.silent() {
		panic(http.ErrAbortHandler)
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
	}
	if f.Cut && status == http.StatusNoContent {
		panic(http.ErrAbortHandler) // an answer without a body is whole with its head: nothing of it may arrive
	}
	if f.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1)) // also for an empty body something is missing
		w.WriteHeader(status)
		io.WriteString(w, body[:len(body)/2])
		if fl, ok := w.(http.Flusher); ok {
			fl.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// resetter is a ResponseWriter that can break its connection off.
type resetter interface{ reset() }

// reset makes the connection end with a TCP reset. It does nothing where there is no connection of its own, as with HTTP/2.
func reset(w http.ResponseWriter) {
	if r, ok := w.(resetter); ok {
		r.reset()
		return
	}
	h, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	raw := conn
	if t, ok := conn.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		t.SetLinger(0) // closing drops what is unsent and tells the peer so
	}
	raw.Close()
}
