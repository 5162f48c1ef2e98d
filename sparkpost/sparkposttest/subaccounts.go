package sparkposttest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type subaccount struct {
	ID         int             `json:"id"`
	Name       string          `json:"name"`
	Status     string          `json:"status"`
	Compliance string          `json:"compliance_status"`
	IPPool     string          `json:"ip_pool,omitempty"`
	Options    map[string]bool `json:"options,omitempty"`
	order      int
}

type subaccountBody struct {
	Name        *string         `json:"name"`
	IPPool      *string         `json:"ip_pool"`
	SetupKey    *bool           `json:"setup_api_key"`
	KeyLabel    *string         `json:"key_label"`
	KeyGrants   []string        `json:"key_grants"`
	KeyValidIPs []string        `json:"key_valid_ips"`
	Options     map[string]bool `json:"options"`
}

type subaccountUpdateBody struct {
	Name    *string         `json:"name"`
	IPPool  *string         `json:"ip_pool"`
	Status  *string         `json:"status"`
	Options map[string]bool `json:"options"`
}

func subaccountRoutes() []route {
	list := []string{"cursor", "per_page", "sort_by", "order", "ip_pool", "status", "name", "ids", "option"}
	return []route{
		{method: "GET", path: "subaccounts", query: list, handle: (*Server).listSubaccounts},
		{method: "POST", path: "subaccounts", body: subaccountBody{}, handle: (*Server).createSubaccount},
		{method: "GET", path: "subaccounts/summary", handle: func(s *Server, _ *request) reply {
			return results(map[string]int{"total": len(s.subs)})
		}},
		{method: "GET", path: "subaccounts/*", handle: (*Server).getSubaccount},
		{method: "PUT", path: "subaccounts/*", body: subaccountUpdateBody{}, handle: (*Server).updateSubaccount},
	}
}

// subaccount returns the one with the id, or nil.
func (s *Server) subaccount(id int) *subaccount {
	for _, sub := range s.subs {
		if sub.ID == id {
			return sub
		}
	}
	return nil
}

func (s *Server) subaccountOf(r *request) *subaccount {
	id, err := strconv.Atoi(r.parts[1])
	if err != nil {
		return nil
	}
	return s.subaccount(id)
}

// noSubaccount: the body for an unknown id is not documented.
func noSubaccount() reply { return fail(http.StatusNotFound, item{Message: "subaccount not found"}) }

func (s *Server) getSubaccount(r *request) reply {
	sub := s.subaccountOf(r)
	if sub == nil {
		return noSubaccount()
	}
	return results(sub)
}

var grants = [...]string{"smtp/inject", "sending_domains/manage", "tracking_domains/view", "tracking_domains/manage", "message_events/view",
	"suppression_lists/manage", "transmissions/view", "transmissions/modify", "webhooks/view", "webhooks/modify"}

func (s *Server) createSubaccount(r *request) reply {
	var b subaccountBody
	r.decode(&b)
	var bad []item
	required := func(field string) {
		bad = append(bad, item{Message: fmt.Sprintf("`%s` is a required field", field), Param: field})
	}
	if b.Name == nil || *b.Name == "" {
		required("name")
	}
	bad = append(bad, checkSubaccount(b.Name, b.IPPool)...)
	withKey := b.SetupKey == nil || *b.SetupKey
	if withKey {
		if b.KeyLabel == nil {
			required("key_label")
		}
		if b.KeyGrants == nil {
			required("key_grants")
		}
		for _, g := range b.KeyGrants {
			if !slices.Contains(grants[:], g) {
				bad = append(bad, item{Message: "Invalid `key_grants value`. Supported values are: " + strings.Join(grants[:], ", "), Param: "key_grants", Value: g})
			}
		}
		for _, ip := range b.KeyValidIPs {
			if !validNet(ip) {
				bad = append(bad, item{Message: "`key_valid_ips` must have valid netmask values", Param: "key_valid_ips", Value: ip})
			}
		}
	}
	if len(bad) > 0 {
		return fail(http.StatusBadRequest, bad...)
	}
	sub := &subaccount{ID: 101 + int(s.cfg.Seed%900) + len(s.subs), Name: *b.Name, Status: "active", Compliance: "active", Options: b.Options, order: len(s.subs)}
	if b.IPPool != nil {
		sub.IPPool = *b.IPPool
	}
	s.subs = append(s.subs, sub)
	answer := map[string]any{"subaccount_id": sub.ID}
	if withKey {
		key, k := s.addKey(sub.ID, *b.KeyLabel, b.KeyGrants, b.KeyValidIPs)
		answer["key"], answer["label"], answer["short_key"] = key, k.label, k.short
	}
	return results(answer)
}

func validNet(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// checkSubaccount applies the form rules. The answer to a long name is not documented.
func checkSubaccount(name, pool *string) []item {
	var bad []item
	if name != nil && len([]rune(*name)) > 64 {
		bad = append(bad, item{Message: "`name` must be 64 characters or less", Param: "name", Value: *name})
	}
	if pool == nil {
		return bad
	}
	if len(*pool) > 20 {
		bad = append(bad, item{Message: "ip_pool must be 20 characters or less", Param: "ip_pool", Value: *pool})
	}
	if strings.ContainsFunc(*pool, func(c rune) bool {
		return !(c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	}) {
		bad = append(bad, item{Message: "ip_pool must be alphanumeric and underscore", Param: "ip_pool", Value: *pool})
	}
	return bad
}

func (s *Server) updateSubaccount(r *request) reply {
	sub := s.subaccountOf(r)
	if sub == nil {
		return noSubaccount()
	}
	var b subaccountUpdateBody
	r.decode(&b)
	bad := checkSubaccount(b.Name, b.IPPool)
	if b.Name != nil && *b.Name == "" {
		bad = append(bad, item{Message: "`name` is a required field", Param: "name", Value: ""})
	}
	if b.Status != nil && !slices.Contains([]string{"active", "suspended", "terminated"}, *b.Status) {
		bad = append(bad, item{Message: "invalid `status`", Param: "status", Value: *b.Status}) // text not documented
	}
	if len(bad) > 0 {
		return fail(http.StatusBadRequest, bad...)
	}
	if b.Name != nil {
		sub.Name = *b.Name
	}
	if b.IPPool != nil {
		sub.IPPool = *b.IPPool
	}
	if b.Status != nil {
		sub.Status = *b.Status
	}
	if b.Options != nil {
		sub.Options = b.Options
	}
	return results(map[string]string{"message": "Successfully updated subaccount information"})
}

// listSubaccounts gives everything at once unless a parameter switches paging on. The cursor is the offset in base64, to be opaque.
func (s *Server) listSubaccounts(r *request) reply {
	q := r.URL.Query()
	paged := false
	for _, name := range []string{"cursor", "per_page", "sort_by", "order", "ip_pool", "status", "name", "ids"} {
		paged = paged || q.Has(name)
	}
	list := []*subaccount{}
	ids := strings.Split(q.Get("ids"), ",")
	for _, sub := range s.subs {
		if (!q.Has("ip_pool") || sub.IPPool == q.Get("ip_pool")) && (!q.Has("status") || sub.Status == q.Get("status")) &&
			strings.Contains(strings.ToLower(sub.Name), strings.ToLower(q.Get("name"))) &&
			(!q.Has("ids") || slices.Contains(ids, strconv.Itoa(sub.ID))) {
			list = append(list, sub)
		}
	}
	if !paged {
		return results(list)
	}
	slices.SortStableFunc(list, func(a, b *subaccount) int {
		n := a.order - b.order
		if q.Get("sort_by") == "name" {
			n = cmp.Compare(a.Name, b.Name)
		}
		if q.Get("order") != "asc" {
			n = -n
		}
		return n
	})
	from := 0
	if c := q.Get("cursor"); c != "" && c != "initial" {
		text, err := base64.RawURLEncoding.DecodeString(c)
		if from, _ = strconv.Atoi(string(text)); err != nil || from <= 0 {
			return fail(http.StatusBadRequest, item{Message: "invalid cursor", Param: "cursor", Value: c})
		}
	}
	size, err := strconv.Atoi(cmp.Or(q.Get("per_page"), "25"))
	if err != nil || size < 1 || size > 100 {
		return fail(http.StatusBadRequest, item{Message: "per_page must be between 1 and 100", Param: "per_page", Value: q.Get("per_page")})
	}
	from = min(from, len(list))
	to := min(from+min(size, s.cfg.PageSize), len(list))
	links := map[string]string{}
	if to < len(list) {
		next := url.Values{}
		for k, v := range q {
			next[k] = v
		}
		next.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to))))
		links["next"] = "/api/v1/subaccounts?" + next.Encode()
	}
	return reply{http.StatusOK, map[string]any{"results": list[from:to], "total_count": len(list), "links": links}}
}
