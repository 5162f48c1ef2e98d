package events

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
)

// errUnpacked is what bounded returns past its limit.
var errUnpacked = errors.New("more than MaxBody bytes unpacked")

// bounded reads no more than left bytes from r. What an archive unpacks to is bounded that way, whatever its packed size.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		err = errUnpacked
	}
	b.left -= int64(n)
	return n, err
}

// read decodes the body, whole or not at all.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]Event, *refusal) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, h.MaxBody)
	if packed, _ := encoding(r.Header); packed {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, bodyError(r, err)
		}
		body = &bounded{z, h.MaxBody}
	}
	d := NewDecoder(body, h.Limits)
	found, err := readAll(d)
	if err != nil {
		return nil, bodyError(r, err)
	}
	if d.values == 0 {
		return nil, refuse(http.StatusBadRequest, "the body is empty", nil)
	}
	return found, nil
}

// bodyError is the answer to a body that could not be read.
func bodyError(r *http.Request, err error) *refusal {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long), errors.Is(err, errUnpacked), errors.Is(err, ErrTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "the batch is too large", err)
	case r.Context().Err() != nil:
		return refuse(http.StatusServiceUnavailable, "the sender has gone away", err)
	}
	return refuse(http.StatusBadRequest, "the body is not a batch of events", err)
}
