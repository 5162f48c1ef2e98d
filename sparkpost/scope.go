package sparkpost

import (
	"errors"
	"net/http"
	"strconv"
)

const subaccountHeader = "X-MSYS-SUBACCOUNT"

// scope says whether and with which value the subaccount header goes out (reference: subaccount scoping).
type scope struct {
	kind scopeKind
	id   int
}

type scopeKind int

const (
	// scopeNone sends no header: account-level resources, and lists across all owners.
	scopeNone scopeKind = iota
	// scopeOwner sends 0, the primary account.
	scopeOwner
	// scopeSubaccount sends the id.
	scopeSubaccount
)

func (s scope) header() (http.Header, error) {
	h := http.Header{}
	switch s.kind {
	case scopeOwner:
		h.Set(subaccountHeader, "0")
	case scopeSubaccount:
		if s.id <= 0 {
			return nil, errors.New("subaccount id must be positive")
		}
		h.Set(subaccountHeader, strconv.Itoa(s.id))
	}
	return h, nil
}
