package sparkposttest

import "time"

// account is what holds for the whole account. Its daily limit is the one of a new paid account.
type account struct {
	company string
	tfa     bool
	options accountOptions
	created time.Time
	updated time.Time
}

type accountOptions struct {
	SMTPTracking       *bool `json:"smtp_tracking_default,omitempty"`
	RESTTracking       *bool `json:"rest_tracking_default,omitempty"`
	InitialOpenPixel   *bool `json:"initial_open_pixel_tracking,omitempty"`
	ClickTracking      *bool `json:"click_tracking,omitempty"`
	Transactional      *bool `json:"transactional_default,omitempty"`
	TransactionalUnsub *bool `json:"transactional_unsub,omitempty"`
	InlineSeeds        *bool `json:"inline_seeds,omitempty"`
}

type accountBody struct {
	Company *string         `json:"company_name"`
	TFA     *bool           `json:"tfa_required"`
	Options *accountOptions `json:"options"`
}

func accountRoutes() []route {
	return []route{
		{method: "GET", path: "account", query: []string{"include"}, handle: (*Server).getAccount},
		{method: "PUT", path: "account", body: accountBody{}, handle: (*Server).updateAccount},
		{method: "GET", path: "usage", handle: (*Server).getUsage},
	}
}

const isoMillis = "2006-01-02T15:04:05.000Z"

func iso(t time.Time) string { return t.UTC().Format(isoMillis) }

func (s *Server) getAccount(r *request) reply {
	a, options := s.account, map[string]any{}
	for name, v := range a.options.members() {
		if *v != nil {
			options[name] = **v
		}
	}
	m := map[string]any{"customer_id": 1 + int(s.cfg.Seed%100000), "company_name": a.company, "country_code": "US", "anniversary_date": iso(a.created),
		"created": iso(a.created), "updated": iso(a.updated), "status": "active", "tfa_required": a.tfa, "service_level": "standard",
		"subscription": map[string]any{"code": "test-100k", "name": "100K test", "plan_volume": 100_000, "effective_date": iso(a.created),
			"self_serve": true, "type": "default"},
		"support": map[string]bool{"phone": false, "online": true}, "options": options}
	if r.URL.Query().Get("include") == "usage" {
		now := s.cfg.Now()
		day, month := s.used(now)
		m["usage"] = map[string]any{"timestamp": iso(now),
			"day":     period(day, dailyLimit, now.Add(-24*time.Hour), now),
			"month":   period(month, monthlyLimit, monthStart(now), monthStart(now).AddDate(0, 1, 0)),
			"sandbox": map[string]int{"used": 0, "limit": 5}}
	}
	return results(m)
}

const (
	dailyLimit   = 1000
	monthlyLimit = 100_000
)

func period(used, limit int, from, to time.Time) map[string]any {
	m := map[string]any{"used": used, "start": iso(from), "end": iso(to)}
	if limit > 0 {
		m["limit"] = limit
	}
	return m
}

func monthStart(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// used counts messages of the last 24 hours and of the month.
func (s *Server) used(time.Time) (day, month int) { return 0, 0 }

// members names the options.
func (o *accountOptions) members() map[string]**bool {
	return map[string]**bool{"smtp_tracking_default": &o.SMTPTracking, "rest_tracking_default": &o.RESTTracking,
		"initial_open_pixel_tracking": &o.InitialOpenPixel, "click_tracking": &o.ClickTracking, "transactional_default": &o.Transactional,
		"transactional_unsub": &o.TransactionalUnsub, "inline_seeds": &o.InlineSeeds}
}

// updateAccount leaves options alone that the body does not have; the documentation does not say so.
func (s *Server) updateAccount(r *request) reply {
	var b accountBody
	r.decode(&b)
	if b == (accountBody{}) {
		s.problem(r, "update without a change")
	}
	if b.Company != nil {
		s.account.company = *b.Company
	}
	if b.TFA != nil {
		s.account.tfa = *b.TFA
	}
	if b.Options != nil {
		to := s.account.options.members()
		for name, v := range b.Options.members() {
			if *v != nil {
				*to[name] = *v
			}
		}
	}
	s.account.updated = s.cfg.Now()
	return results(map[string]string{"message": "Account has been updated"})
}

func (s *Server) getUsage(*request) reply {
	now := s.cfg.Now()
	day, month := s.used(now)
	return results(map[string]any{
		"messaging": map[string]any{"timestamp": iso(now), "last_usage_date": iso(now), "day": period(day, 0, now.Add(-24*time.Hour), now),
			"month": period(month, monthlyLimit, monthStart(now), monthStart(now).AddDate(0, 1, 0))},
		"recipient_validation": map[string]any{"timestamp": iso(now), "month": period(0, 0, monthStart(now), monthStart(now).AddDate(0, 1, 0))},
	})
}
