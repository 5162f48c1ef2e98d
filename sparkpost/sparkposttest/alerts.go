package sparkposttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// alert is an alert. There is no public reference: members are those of a withdrawn draft and of the web application, texts of errors
// are made up.
type alert struct {
	id        int
	body      alertBody
	incidents []*incident
}

type alertBody struct {
	Name        *string         `json:"name,omitempty"`
	Metric      *string         `json:"metric,omitempty"`
	Muted       *bool           `json:"muted,omitempty"`
	Subaccounts []int           `json:"subaccounts,omitempty"`
	Any         *bool           `json:"any_subaccount,omitempty"`
	Filters     []alertFilter   `json:"filters"` // null when empty, as the application has seen it
	Threshold   *alertThreshold `json:"threshold_evaluator,omitempty"`
	Channels    *alertChannels  `json:"channels,omitempty"`
}

type alertFilter struct {
	Type   string   `json:"filter_type"`
	Values []string `json:"filter_values"`
}

type alertThreshold struct {
	Operator *string  `json:"operator,omitempty"`
	Source   *string  `json:"source,omitempty"`
	Value    *float64 `json:"value,omitempty"`
}

type alertChannels struct {
	Emails  []string     `json:"emails,omitempty"`
	Slack   *alertTarget `json:"slack,omitempty"`
	Webhook *alertTarget `json:"webhook,omitempty"`
}

type alertTarget struct {
	Target string `json:"target"`
}

type incident struct {
	value       string
	first, last time.Time
}

var alertMetrics = [...]string{"monthly_sending_limit", "block_bounce_rate", "hard_bounce_rate", "soft_bounce_rate", "health_score",
	"injection_count", "blocklist"}

func alertRoutes() []route {
	return []route{
		{method: "GET", path: "alerts", handle: func(s *Server, _ *request) reply {
			list := []any{}
			for _, a := range s.alerts {
				list = append(list, a.show(true))
			}
			return results(list)
		}},
		{method: "POST", path: "alerts", body: alertBody{}, handle: (*Server).createAlert},
		{method: "GET", path: "alerts/*", handle: func(s *Server, r *request) reply {
			a := s.alertOf(r)
			if a == nil {
				return noAlert()
			}
			return results(a.show(false))
		}},
		{method: "PUT", path: "alerts/*", body: alertBody{}, handle: (*Server).updateAlert},
		{method: "DELETE", path: "alerts/*", handle: func(s *Server, r *request) reply {
			a := s.alertOf(r)
			if a == nil {
				return noAlert()
			}
			s.alerts = slices.DeleteFunc(s.alerts, func(o *alert) bool { return o == a })
			return results(map[string]int{"id": a.id})
		}},
		{method: "GET", path: "alerts/*/incidents", handle: (*Server).listIncidents},
	}
}

// noAlert answers with an object instead of an array, as some fixtures of the web application have it.
func noAlert() reply {
	return reply{http.StatusNotFound, map[string]any{"errors": map[string]string{"message": "alert not found"}}}
}

func (s *Server) alertOf(r *request) *alert {
	for _, a := range s.alerts {
		if strconv.Itoa(a.id) == r.parts[1] {
			return a
		}
	}
	return nil
}

// show leaves the id out of a single answer.
func (a *alert) show(withID bool) map[string]any {
	raw, err := json.Marshal(a.body)
	m := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	if withID {
		m["id"] = a.id
	}
	m["last_triggered"] = nil
	if n := len(a.incidents); n > 0 {
		m["last_triggered"] = iso(a.incidents[n-1].last)
	}
	return m
}

func (s *Server) createAlert(r *request) reply {
	var b alertBody
	r.decode(&b)
	if text := b.fault(); text != "" {
		return fail(http.StatusBadRequest, item{Message: text})
	}
	s.lastAlert++
	s.alerts = append(s.alerts, &alert{id: s.lastAlert, body: b})
	return results(map[string]int{"id": s.lastAlert})
}

// fault says what an alert lacks, "" when nothing.
func (b alertBody) fault() string {
	switch {
	case b.Name == nil || *b.Name == "":
		return "name is required"
	case b.Metric == nil || !slices.Contains(alertMetrics[:], *b.Metric):
		return "metric is not one of those known"
	case b.Muted == nil:
		return "muted is required"
	case len(b.Subaccounts) == 0 && (b.Any == nil || !*b.Any):
		return "subaccounts or any_subaccount is required"
	case len(b.Filters) > 15:
		return "at most 15 filters"
	case b.Channels == nil || len(b.Channels.Emails) == 0 && b.Channels.Slack == nil && b.Channels.Webhook == nil:
		return "at least one channel is required"
	case len(b.Channels.Emails) > 10:
		return "at most 10 emails"
	case *b.Metric == "blocklist":
		return ""
	case b.Threshold == nil || b.Threshold.Operator == nil || b.Threshold.Source == nil || b.Threshold.Value == nil:
		return "threshold_evaluator needs operator, source and value"
	case *b.Threshold.Operator != "gt" && *b.Threshold.Operator != "lt":
		return "operator is gt or lt"
	case !slices.Contains([]string{"raw", "day_over_day", "week_over_week"}, *b.Threshold.Source):
		return "source is not one of those known"
	}
	return ""
}

// updateAlert merges partial objects.
func (s *Server) updateAlert(r *request) reply {
	a := s.alertOf(r)
	if a == nil {
		return noAlert()
	}
	raw, err := json.Marshal(a.body)
	var next alertBody
	if err == nil {
		err = json.Unmarshal(raw, &next)
	}
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	var sent alertBody
	r.decode(&sent)
	if sent.Any != nil && *sent.Any {
		next.Subaccounts = nil
	} else if len(sent.Subaccounts) > 0 {
		next.Any = nil
	}
	if sent.Channels != nil {
		next.Channels = nil // an array in it would be merged entry by entry
	}
	r.decode(&next)
	if text := next.fault(); text != "" {
		return fail(http.StatusBadRequest, item{Message: text})
	}
	if len(next.Filters) == 0 {
		next.Filters = nil
	}
	a.body = next
	return results(a.show(true))
}

// Times of incidents.
const (
	incidentGap = 30 * time.Minute
	incidentMax = 24 * time.Hour
)

// Trigger makes an alert trigger now with a value. It opens an incident, or goes on with one that was triggered in the last half hour
// and is not a day old. It reports whether an incident was opened, which is when SparkPost would notify.
func (s *Server) Trigger(id string, value float64) (opened bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.alerts, func(a *alert) bool { return strconv.Itoa(a.id) == id })
	if i < 0 {
		return false, fmt.Errorf("sparkposttest: no alert %q", id)
	}
	a, now := s.alerts[i], s.cfg.Now()
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if n := len(a.incidents); n > 0 && a.incidents[n-1].open(now) {
		last := a.incidents[n-1]
		last.value, last.last = text, now
		return false, nil
	}
	a.incidents = append(a.incidents, &incident{value: text, first: now, last: now})
	return true, nil
}

func (i *incident) open(now time.Time) bool {
	return now.Sub(i.last) < incidentGap && now.Sub(i.first) < incidentMax
}

func (s *Server) listIncidents(r *request) reply {
	a := s.alertOf(r)
	if a == nil {
		return noAlert()
	}
	list := []any{}
	for _, i := range a.incidents {
		status := "Resolved"
		if i.open(s.cfg.Now()) {
			status = "open"
		}
		filters := map[string]any{}
		for _, f := range a.body.Filters {
			if len(f.Values) > 0 {
				filters[f.Type] = f.Values[0]
			}
		}
		if len(a.body.Subaccounts) > 0 && a.body.Subaccounts[0] > 0 {
			filters["subaccount_id"] = a.body.Subaccounts[0]
		}
		list = append(list, map[string]any{"triggered_value": i.value, "first_fired": iso(i.first), "last_fired": iso(i.last), "status": status, "filters": filters})
	}
	return results(list)
}
