package sparkposttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"syscall"
)

// InProcess returns a RoundTripper that hands requests to the server without a network, for tests that make very many of them or run in
// a testing/synctest bubble. Faults work as over the network; a connection that ends without an answer shows as io.ErrUnexpectedEOF,
// and a reset as syscall.ECONNRESET. The host of a request does not matter.
func (s *Server) InProcess() http.RoundTripper { return inProcess{s} }

type inProcess struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(ctx); trace != nil { // as http.Transport tells that a connection was had
		if trace.GetConn != nil {
			trace.GetConn(req.URL.Host)
		}
		if trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{Reused: true})
		}
	}
	in := req.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "in process"
	w := &recorder{ResponseRecorder: httptest.NewRecorder()}
	if broke := w.serve(t.s, in); broke {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case w.wasReset:
			return nil, syscall.ECONNRESET
		case !w.started:
			return nil, io.ErrUnexpectedEOF
		}
	}
	res := w.Result()
	res.Request = req
	if n := res.ContentLength; n > int64(w.Body.Len()) { // the server broke off
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(w.Body.Bytes()), broken{}))
	}
	return res, nil
}

// broken is the end of a body that is not complete.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// recorder keeps an answer and how it ended.
type recorder struct {
	*httptest.ResponseRecorder
	started, wasReset bool
}

func (w *recorder) WriteHeader(status int) {
	w.started = true
	w.ResponseRecorder.WriteHeader(status)
}

func (w *recorder) reset() { w.wasReset = true }

// serve runs the handler and reports whether it broke the connection off.
func (w *recorder) serve(s *Server, r *http.Request) (broke bool) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			broke = true
		default:
			panic(fmt.Sprintf("sparkposttest: handler: %v", v))
		}
	}()
	s.serve(w, r)
	return false
}
