package sparkpost

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is what a change does.
type Op string

// The operations.
const (
	// OpCreate makes a resource.
	OpCreate Op = "create"
	// OpUpdate changes fields of one that exists.
	OpUpdate Op = "update"
	// OpVerify runs the checks of a domain.
	OpVerify Op = "verify"
	// OpDelete deletes. It occurs only for what State.Remove names.
	OpDelete Op = "delete"
	// OpMove gives a domain to another owner: it is deleted and made again with the same key pair. It occurs only for
	// DomainSpec.ChangeOwner.
	OpMove Op = "move"
	// OpAdopt stands in Changes.Kept for a resource that the state knows by name only, and that is there under an id of SparkPost's
	// making: it is used as it is.
	OpAdopt Op = "adopt"
	// OpNothing stands in Changes.Kept for any other resource that is as wanted.
	OpNothing Op = "nothing"
)

// Changes is what [Plan] found: the way from one state to another, as data. It marshals to JSON and back; private keys stay out, and
// a set that was stored needs [ApplyOptions].LoadKey to make domains with keys.
type Changes struct {
	// List holds the changes in the order in which they have to be made.
	List []Change `json:"changes,omitempty"`
	// Conflicts are wishes that cannot be fulfilled by a change. Nothing in List depends on them.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// Kept are the wanted resources that need no change: Op is [OpAdopt] or [OpNothing], and no request is made for them.
	Kept []Change `json:"kept,omitempty"`
	// Records are the DNS records that checks wait for, published or not: those of domains that are not verified yet.
	Records Records `json:"dns_records,omitempty"`
}

// Empty reports whether nothing is to be done and nothing stands in the way. What is kept, and records, do not count.
func (c *Changes) Empty() bool { return len(c.List) == 0 && len(c.Conflicts) == 0 }

// String returns one line for each change and conflict.
func (c *Changes) String() string {
	if c.Empty() {
		return "no changes\n"
	}
	var b strings.Builder
	for _, ch := range c.List {
		b.WriteString(ch.String() + "\n")
	}
	for _, co := range c.Conflicts {
		b.WriteString(co.String() + "\n")
	}
	return b.String()
}

// Change is one step.
type Change struct {
	// Op, Kind and Key say what is done to which resource.
	Op   Op     `json:"op"`
	Kind Kind   `json:"kind"`
	Key  string `json:"key"`
	// Before is the resource as it is, nil for a creation. After is what it will be, nil for a deletion. Fields that the change does not
	// speak of are nil in both.
	Before *Item `json:"before,omitempty"`
	After  *Item `json:"after,omitempty"`
	// Reason adds what a reader should know; often empty.
	Reason string `json:"reason,omitempty"`
}

// Item is one resource; exactly one field is set.
type Item struct {
	// Pool is set for [KindPool].
	Pool *PoolSpec `json:"ip_pool,omitempty"`
	// IP is set for [KindIP].
	IP *IPSpec `json:"sending_ip,omitempty"`
	// Subaccount is set for [KindSubaccount].
	Subaccount *SubaccountSpec `json:"subaccount,omitempty"`
	// Tracking is set for [KindTracking].
	Tracking *TrackingSpec `json:"tracking_domain,omitempty"`
	// Domain is set for [KindDomain], and for [KindKey] with that one key.
	Domain *DomainSpec `json:"sending_domain,omitempty"`
}

// Conflict is a wish that cannot be fulfilled.
type Conflict struct {
	// Kind and Key name the resource.
	Kind Kind   `json:"kind"`
	Key  string `json:"key"`
	// Problem says why.
	Problem string `json:"problem"`
	// Hint says what to do; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Waiting is true when nothing is wrong: the wish comes true in a later run, after what Hint says. Such a conflict does not keep
	// [Apply] from making the other changes.
	Waiting bool `json:"waiting,omitempty"`
}

// String returns one line; it begins with "!", or with "*" when the wish only waits.
func (c Conflict) String() string {
	sign := "!"
	if c.Waiting {
		sign = "*"
	}
	s := fmt.Sprintf("%s %s %s: %s", sign, c.Kind, c.Key, c.Problem)
	if c.Hint != "" {
		s += "; " + c.Hint
	}
	return s
}

// FieldChange is one field of a change as text. A field that is not set is "".
type FieldChange struct {
	// Name is the field's name in the API.
	Name string `json:"name"`
	// Before and After are the values.
	Before string `json:"before"`
	After  string `json:"after"`
}

// Fields returns what the change does field by field. Keys are shortened to their selector and a piece of their text.
func (c Change) Fields() []FieldChange {
	out := c.diff()
	for i, f := range out {
		if f.Name == "dkim" {
			out[i].Before, out[i].After = shortKey(f.Before), shortKey(f.After)
		}
	}
	return out
}

func (c Change) diff() []FieldChange {
	before, after := c.Before.fields(), c.After.fields()
	var out []FieldChange
	for _, name := range fieldOrder {
		b, hadB := before[name]
		a, hadA := after[name]
		if hadA && (!hadB || a != b) {
			out = append(out, FieldChange{name, b, a})
		}
	}
	return out
}

// fieldOrder is the order of fields in text.
var fieldOrder = [...]string{"name", "subaccount", "ip_pool", "auto_warmup_overflow_pool", "signing_domain", "auto_warmup_enabled", "auto_warmup_stage",
	"status", "tracking_domain", "shared_with_subaccounts", "is_default_bounce_domain", "secure", "default", "managed_certificate", "headers", "dkim", "verify"}

// fields returns the set fields as text. A nil Item has none.
func (it *Item) fields() map[string]string {
	m := map[string]string{}
	text := func(name string, p *string) {
		if p != nil {
			m[name] = *p
		}
	}
	flag := func(name string, p *bool) {
		if p != nil {
			m[name] = strconv.FormatBool(*p)
		}
	}
	switch {
	case it == nil:
	case it.Pool != nil:
		text("name", nonEmpty(it.Pool.Name))
		text("auto_warmup_overflow_pool", it.Pool.Overflow)
		text("signing_domain", it.Pool.SigningDomain)
	case it.IP != nil:
		text("ip_pool", it.IP.Pool)
		flag("auto_warmup_enabled", it.IP.AutoWarmup)
		if it.IP.Stage != nil {
			m["auto_warmup_stage"] = strconv.Itoa(*it.IP.Stage)
		}
	case it.Subaccount != nil:
		text("name", nonEmpty(it.Subaccount.Name))
		text("ip_pool", it.Subaccount.IPPool)
		text("status", it.Subaccount.Status)
	case it.Tracking != nil:
		t := it.Tracking
		ownerField(m, t.Owner, t.OwnerID)
		flag("secure", t.Secure)
		flag("default", t.Default)
		if t.ManagedCertificate {
			m["managed_certificate"] = "true"
		}
		if t.Verify {
			m["verify"] = "cname"
		}
	case it.Domain != nil && len(it.Domain.Keys) == 1:
		k := it.Domain.Keys[0]
		ownerField(m, it.Domain.Owner, it.Domain.OwnerID)
		text("signing_domain", k.SigningDomain)
		text("headers", k.Headers)
		if k.DKIM != nil {
			m["dkim"] = k.DKIM.Selector + ":" + squeeze(k.DKIM.Public)
		}
		if k.Verify {
			m["verify"] = "dkim"
		}
	case it.Domain != nil:
		it.Domain.fields(m, text, flag)
	}
	return m
}

func ownerField(m map[string]string, name string, id int) {
	if name != "" {
		m["subaccount"] = name
	} else if id != 0 {
		m["subaccount"] = strconv.Itoa(id)
	}
}

func (d *DomainSpec) fields(m map[string]string, text func(string, *string), flag func(string, *bool)) {
	ownerField(m, d.Owner, d.OwnerID)
	text("tracking_domain", d.TrackingDomain)
	flag("shared_with_subaccounts", d.Shared)
	flag("is_default_bounce_domain", d.DefaultBounce)
	if d.DKIM != nil {
		m["dkim"] = d.DKIM.Selector + ":" + squeeze(d.DKIM.Public)
	}
	var checks []string
	if d.VerifyDKIM {
		checks = append(checks, "dkim")
	}
	if d.VerifyCNAME {
		checks = append(checks, "cname")
	}
	if len(checks) > 0 {
		m["verify"] = strings.Join(checks, "+")
	}
}

// shortKey cuts the public key in "selector:key" down to a piece near its end, which is where keys differ.
func shortKey(s string) string {
	selector, key, _ := strings.Cut(s, ":")
	if len(key) > 20 {
		key = "…" + key[len(key)-20:len(key)-6]
	}
	return strings.TrimSuffix(selector+":"+key, ":")
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// String returns one line: a sign for the operation, the resource and its fields, such as "~ ip_pool promo: name "a" -> "b"".
func (c Change) String() string {
	sign := map[Op]string{OpCreate: "+", OpUpdate: "~", OpVerify: "?", OpDelete: "-", OpMove: ">", OpAdopt: "=", OpNothing: "="}[c.Op]
	s := fmt.Sprintf("%s %s %s", sign, c.Kind, c.Key)
	var parts []string
	for _, f := range c.Fields() {
		switch {
		case c.Op == OpUpdate, c.Op == OpMove && f.Name == "subaccount":
			parts = append(parts, fmt.Sprintf("%s %q -> %q", f.Name, f.Before, f.After))
		case c.Op == OpVerify && f.Name == "verify":
			parts = append(parts, f.After)
		case f.Name == "name" && f.After == c.Key || f.After == "" || f.Name == "verify":
		default:
			parts = append(parts, fmt.Sprintf("%s=%s", f.Name, f.After))
		}
	}
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, ", ")
	}
	if c.Reason != "" {
		s += " (" + c.Reason + ")"
	}
	return s
}
