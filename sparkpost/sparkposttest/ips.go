package sparkposttest

import (
	"fmt"
	"net/http"
	"net/netip"
)

type sendingIP struct {
	Address, Hostname, Pool string
	Warm                    bool
	Stage                   int
}

type ipBody struct {
	Pool  *string `json:"ip_pool"`
	Warm  *bool   `json:"auto_warmup_enabled"`
	Stage *int    `json:"auto_warmup_stage"`
}

func ipRoutes() []route {
	return []route{
		{method: "GET", path: "sending-ips", handle: func(s *Server, _ *request) reply {
			list := []any{}
			for _, ip := range s.ips {
				list = append(list, ip.show())
			}
			return results(list)
		}},
		{method: "GET", path: "sending-ips/*", handle: func(s *Server, r *request) reply {
			if a, err := netip.ParseAddr(r.parts[1]); err != nil || !a.Is4() {
				return fail(http.StatusBadRequest, item{Message: "external ip must be a valid IPv4 address"})
			}
			ip := s.sendingIP(r.parts[1])
			if ip == nil {
				return noIP()
			}
			return results(ip.show())
		}},
		{method: "PUT", path: "sending-ips/*", body: ipBody{}, handle: (*Server).updateIP},
	}
}

func noIP() reply { return fail(http.StatusNotFound, item{Message: "Sending IP does not exist"}) }

func (s *Server) sendingIP(addr string) *sendingIP {
	for _, ip := range s.ips {
		if ip.Address == addr {
			return ip
		}
	}
	return nil
}

// show leaves the stage out while warm-up is off.
func (ip *sendingIP) show() map[string]any {
	m := map[string]any{"external_ip": ip.Address, "hostname": ip.Hostname, "ip_pool": ip.Pool, "customer_provided": false,
		"auto_warmup_enabled": ip.Warm}
	if ip.Warm {
		m["auto_warmup_stage"] = ip.Stage
	}
	return m
}

func (s *Server) updateIP(r *request) reply {
	ip := s.sendingIP(r.parts[1])
	if ip == nil {
		return noIP()
	}
	var b ipBody
	r.decode(&b)
	bad := func(format string, args ...any) reply {
		return fail(http.StatusBadRequest, item{Message: fmt.Sprintf(format, args...)})
	}
	next := *ip
	if b.Pool != nil {
		if s.pool(*b.Pool) == nil {
			return bad("IP Pool %s does not exist.", *b.Pool)
		}
		next.Pool = *b.Pool
	}
	if b.Warm != nil && *b.Warm != ip.Warm {
		next.Warm = *b.Warm
		next.Stage = 0
		if next.Warm {
			next.Stage = 1 // enabling starts over
		}
	}
	if b.Stage != nil {
		switch {
		case *b.Stage < 1 || *b.Stage > 29:
			return bad("auto_warmup_stage must be between 1 and 29")
		case !next.Warm:
			return bad("auto_warmup_enabled must be true to update auto_warmup_stage")
		case *b.Stage > next.Stage:
			return bad("auto_warmup_stage must be less than or equal to %d", next.Stage)
		}
		next.Stage = *b.Stage
	}
	*ip = next
	return results(map[string]string{"message": "Updated Sending IP."})
}
