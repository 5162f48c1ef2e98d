package sparkposttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Snapshot returns the account as indented JSON with a stable order and without times, for comparing end states.
func (s *Server) Snapshot() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	pools, ips, domains := []any{}, []any{}, []any{}
	for _, p := range s.pools {
		m := s.showPool(p)
		delete(m, "ips")
		pools = append(pools, m)
	}
	for _, ip := range s.ips {
		ips = append(ips, ip.show())
	}
	for _, name := range s.domainNames() {
		d := s.domains[name]
		m := d.show()
		delete(m, "creation_time")
		m["domain"], m["dkim"] = d.name, d.key()
		if len(d.keys) > 0 {
			keys := []any{}
			for _, k := range slices.SortedFunc(slices.Values(d.keys), func(a, b *dkimKey) int { return strings.Compare(a.id, b.id) }) {
				m := k.show()
				delete(m, "created_at")
				delete(m, "updated_at")
				keys = append(keys, m)
			}
			m["dkim_keys"] = keys
		}
		domains = append(domains, m)
	}
	tracking := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.tracking)) {
		m := s.tracking[name].show()
		delete(m, "tls_certificate")
		tracking = append(tracking, m)
	}
	hooks := []any{}
	for _, w := range s.webhooks {
		m := w.show(time.UTC, false)
		for _, name := range []string{"id", "links", "last_successful", "last_failure", "auth_token"} {
			delete(m, name)
		}
		hooks = append(hooks, hide(m))
	}
	slices.SortFunc(hooks, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	out, err := json.MarshalIndent(map[string]any{"ip_pools": pools, "sending_ips": ips, "subaccounts": s.subs, "sending_domains": domains,
		"tracking_domains": tracking, "webhooks": hooks}, "", "  ")
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	return string(out)
}
