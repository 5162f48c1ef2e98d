package sparkpost

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// Undocumented are the resources that have no public reference. They were seen in the source of SparkPost's web application; that they
// are open to API keys, and in the EU, is not known. They may change or go without notice: nothing else in this package depends on
// them. A server that does not have them is told by [ErrUnsupported].
type Undocumented struct {
	// Alerts are the account's alerts.
	Alerts *Alerts
	// Keys are the API keys of the primary account.
	Keys *APIKeys
}

// Undocumented returns the resources that have no public reference.
func (c *Client) Undocumented() Undocumented {
	return Undocumented{Alerts: &Alerts{c.api}, Keys: &APIKeys{c.api, scope{kind: scopeOwner}}}
}

// SubaccountKeys are the API keys of one subaccount. Every call fails unless id is positive. They have no public reference: see
// [Undocumented].
func (u Undocumented) SubaccountKeys(id int) *APIKeys {
	return &APIKeys{u.Keys.api, scope{kind: scopeSubaccount, id: id}}
}

// ErrUnsupported says that the server does not have an undocumented endpoint, or not for this account.
const ErrUnsupported ErrorKind = "not supported by this server"

// unsupportedError is the cause of an answer that means that there is no such endpoint.
type unsupportedError struct{ what string }

func (e *unsupportedError) Error() string {
	return "this server has no " + e.what + " API; it has no public reference, so do the same in the web application"
}

// Is makes the kind known to errors.Is.
func (e *unsupportedError) Is(target error) bool { return target == ErrUnsupported }

// unsupported marks err when it says that the server does not know the endpoint: 405, 501, code 1101 or 1102, or, for a path that
// names no item, any 404, also as a page of a proxy.
func unsupported(err error, what string, collection bool) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Status == http.StatusMethodNotAllowed, e.Status == http.StatusNotImplemented, e.HasCode("1101"), e.HasCode("1102"),
		e.Status == http.StatusNotFound && (collection || len(e.Items) == 0):
		e.Err = &unsupportedError{what}
	}
	return err
}

// takeText removes a member and returns it as text, which may have come as string or number. "" when absent or null.
func takeText(all map[string]json.RawMessage, name string) string {
	s := scalar(all[name])
	delete(all, name)
	return s
}

// takeNumber removes a member and returns it as a number, which may have come as string. 0 when absent, null or empty.
func takeNumber(all map[string]json.RawMessage, name string) (float64, error) {
	s := takeText(all, name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n != n || n-n != 0 {
		return 0, errors.New(name + " is no number: " + strconv.Quote(oneLine(s, 40)))
	}
	return n, nil
}

// decodeTaken is decodeExtra for what is left of an object after its uncertain members were taken out.
func decodeTaken[T any](all map[string]json.RawMessage, v *T, extra *map[string]json.RawMessage) error {
	rest, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return decodeExtra(rest, v, extra)
}
