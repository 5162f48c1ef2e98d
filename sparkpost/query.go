package sparkpost

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// maxURI is the longest address that the API takes (reference: events search).
const maxURI = 4096

// listParam is a parameter that takes several values.
type listParam struct {
	name   string
	values []string
}

// delimiters are what separates values, in the order in which they are tried. The first is the API's default.
const delimiters = ",;|~^"

// setLists puts lists into q. When a value holds the delimiter, another one is chosen and named in the parameter "delimiter".
func setLists(q url.Values, lists []listParam) error {
	used, commas := "", false
	for _, l := range lists {
		for _, v := range l.values {
			if strings.TrimSpace(v) == "" {
				return fmt.Errorf("%s holds an empty value", l.name)
			}
			used += v
		}
		commas = commas || len(l.values) > 0
	}
	if !commas {
		return nil
	}
	i := strings.IndexFunc(delimiters, func(r rune) bool { return !strings.ContainsRune(used, r) })
	if i < 0 {
		return fmt.Errorf("no delimiter is left: the values hold all of %s", delimiters)
	}
	d := delimiters[i : i+1]
	for _, l := range lists {
		if len(l.values) > 0 {
			q.Set(l.name, strings.Join(l.values, d))
		}
	}
	if d != delimiters[:1] {
		q.Set("delimiter", d)
	}
	return nil
}

// numbers returns ids as text.
func numbers(ids []int) []string {
	var out []string
	for _, id := range ids {
		out = append(out, strconv.Itoa(id))
	}
	return out
}

// checkSubaccounts refuses what is neither the primary account nor a subaccount.
func checkSubaccounts(ids []int) error {
	for _, id := range ids {
		if id < 0 {
			return fmt.Errorf("subaccount %d is none; 0 is the primary account", id)
		}
	}
	return nil
}

// checkURI refuses an address that the API would not take.
func (a *api) checkURI(c call) error {
	n := len(a.gsp.Config.BaseUrl) + len("/api/v1/") + len(strings.Join(c.path, "/")) + 1 + len(c.query.Encode())
	if n > maxURI {
		return fmt.Errorf("the request's address has %d characters, at most %d are allowed: split the lists into several requests", n, maxURI)
	}
	return nil
}

// tooMany refuses a number outside of 1 to most; 0 means the API's default.
func tooMany(name string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s is %d, allowed are 1 to %d", name, n, most)
	}
	return nil
}

// errCircle says that a server sends a reader round and round.
var errCircle = errors.New("the pages run in a circle")
