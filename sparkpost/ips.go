package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
)

// IPs lists and changes dedicated sending IPs (reference: sending IPs). They are bought, not created. Needs the grants ip_pools/view
// and ip_pools/manage.
type IPs struct{ *api }

// IP is a sending IP as the API shows it.
type IP struct {
	// Address is the IPv4 address.
	Address string `json:"external_ip"`
	// Hostname is its reverse name.
	Hostname string `json:"hostname,omitempty"`
	// Pool is the id of its pool; "" inside [Pool], where it goes without saying.
	Pool string `json:"ip_pool,omitempty"`
	// CustomerProvided is true for addresses the customer brought.
	CustomerProvided bool `json:"customer_provided,omitempty"`
	// AutoWarmup tells whether the daily volume is limited by stages.
	AutoWarmup bool `json:"auto_warmup_enabled"`
	// Stage is 1 to 29 while AutoWarmup is on, else 0.
	Stage int `json:"auto_warmup_stage,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (ip *IP) UnmarshalJSON(data []byte) error {
	type plain IP
	return decodeExtra(data, (*plain)(ip), &ip.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (ip IP) MarshalJSON() ([]byte, error) {
	type plain IP
	return encodeExtra(plain(ip), ip.Extra)
}

// All lists the sending IPs with one request. The sequence may be ranged over again, which asks again.
func (s *IPs) All(ctx context.Context) iter.Seq2[*IP, error] {
	return listOnce[IP](ctx, s.api, call{op: "list sending ips", method: http.MethodGet, path: []string{"sending-ips"}})
}

// Get returns one sending IP.
func (s *IPs) Get(ctx context.Context, address string) (*IP, error) {
	out := &IP{}
	err := s.api.do(ctx, call{op: "get sending ip", method: http.MethodGet, path: []string{"sending-ips", address}, out: out})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// IPUpdate lists what to change. A nil field stays as it is.
type IPUpdate struct {
	// Pool moves the IP to the pool of that id. Mail already queued keeps the IP.
	Pool *string `json:"ip_pool,omitempty"`
	// AutoWarmup switches warm-up on, which starts at stage 1, or off.
	AutoWarmup *bool `json:"auto_warmup_enabled,omitempty"`
	// Stage lowers the stage; it can never be raised. AutoWarmup must be on.
	Stage *int `json:"auto_warmup_stage,omitempty"`
}

// Update changes the fields that are set. An update without any is an error and sends nothing.
func (s *IPs) Update(ctx context.Context, address string, u IPUpdate) error {
	c := call{op: "update sending ip", method: http.MethodPut, path: []string{"sending-ips", address}, in: u}
	if u == (IPUpdate{}) {
		return c.refuse(errors.New("nothing to update"))
	}
	return s.api.do(ctx, c)
}
