package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// resolver answers from maps; names that begin with "broken" fail.
type resolver struct {
	txt   map[string][]string
	cname map[string]string
}

func (r resolver) LookupTXT(_ context.Context, name string) ([]string, error) {
	if strings.Contains(name, "broken") {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if v, ok := r.txt[name]; ok {
		return v, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (r resolver) LookupCNAME(_ context.Context, name string) (string, error) {
	if v, ok := r.cname[name]; ok {
		return v, nil
	}
	return "", &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// planned is a plan with something of everything.
func planned(t *testing.T) *sparkpost.Changes {
	long := strings.Repeat("MIIBIjANBgkqhkiG9w0B", 20)
	have := present()
	have.Region = sparkpost.EU
	have.Domains[0].Status.DKIM = sparkpost.Valid
	want := &sparkpost.State{
		Pools: []sparkpost.PoolSpec{{Name: "fresh", SigningDomain: new("a.example")}, {ID: "spare", SigningDomain: new("new.example")},
			{ID: "promo"}, {ID: "warm", SigningDomain: new("gen.example")}},
		IPs: []sparkpost.IPSpec{{Address: "192.0.2.2", Stage: new(5)}},
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "news"}, {Name: "one|two", IPPool: new("fresh")},
			{Name: "dup", ID: 7}},
		Domains: []sparkpost.DomainSpec{
			{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "AAAA"}, VerifyDKIM: true},
			{Name: "b.example", Owner: "news", DKIM: &sparkpost.DKIMKey{Selector: "s2", Public: long}, VerifyDKIM: true},
			{Name: "bounce.example", Owner: "one|two", VerifyCNAME: true, DefaultBounce: new(true)},
			{Name: "broken.example", DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "BBBB"}, VerifyDKIM: true},
			{Name: "gen.example", VerifyDKIM: true},
			{Name: "new.example", DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "CCCC"}, VerifyDKIM: true},
			{Name: "other.example", DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "DDDD"}, VerifyDKIM: true},
		},
		Remove: []sparkpost.Ref{{Kind: sparkpost.KindDomain, Key: "c.example"}},
	}
	dns := resolver{txt: map[string][]string{
		"s1._domainkey.new.example":   {"something else", "v=DKIM1; k=rsa; p=CC CC"},
		"s1._domainkey.other.example": {"v=DKIM1; p=EEEE"},
	}, cname: map[string]string{"bounce.example": "EU.sparkpostmail.com."}}
	if err := have.LookUp(t.Context(), dns, want); err != nil {
		t.Fatal(err)
	}
	if p := have.DNS["s1._domainkey.broken.example"].Problem; !strings.Contains(p, "misbehaving") {
		t.Errorf("problem %q", p)
	}
	return mustPlan(t, have, want)
}

func TestPlanRenders(t *testing.T) {
	t.Parallel()
	c := planned(t)
	golden(t, "plan.txt", c.String())
	golden(t, "plan.md", c.Markdown())
	golden(t, "records.txt", c.Records.String())
	golden(t, "records.zone", c.Records.Zone())
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.json", string(data)+"\n")
	var back sparkpost.Changes
	if err := json.Unmarshal(data, &back); err != nil || back.Markdown() != c.Markdown() {
		t.Errorf("JSON round trip: %v", err)
	}
	var empty sparkpost.Changes
	if empty.Markdown() != "## Changes at SparkPost\n\nno changes\n" || empty.Records.String() != "no records\n" || empty.Records.Zone() != "" {
		t.Error("an empty plan shows something")
	}
}

func TestPlanRegion(t *testing.T) {
	t.Parallel()
	if _, err := sparkpost.Plan(&sparkpost.State{Region: sparkpost.US}, &sparkpost.State{Region: sparkpost.EU}); err == nil ||
		!strings.Contains(err.Error(), "for region EU, the account is in US") {
		t.Errorf("error %v", err)
	}
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "b.example", VerifyCNAME: true}}}
	for _, tt := range []struct{ have, want sparkpost.Region }{{"", "eu"}, {sparkpost.EU, "eu"}, {sparkpost.EU, ""}} {
		want.Region = tt.want
		c := mustPlan(t, &sparkpost.State{Region: tt.have}, want)
		if len(c.Records) != 1 || c.Records[0].Value != "eu.sparkpostmail.com" {
			t.Errorf("%+v: records %+v", tt, c.Records)
		}
	}
	want.Region = ""
	c := mustPlan(t, &sparkpost.State{}, want)
	if c.Records[0].Value != "" || !strings.HasPrefix(c.Records.Zone(), "; b.example. IN CNAME") || !strings.Contains(c.Records.String(), "(ask SparkPost)") {
		t.Errorf("an unknown region gives %q", c.Records.Zone())
	}
	if _, err := sparkpost.Plan(&sparkpost.State{}, &sparkpost.State{Region: "ASIA"}); err == nil {
		t.Error("region ASIA was accepted")
	}
}

// A wish that only waits keeps nothing else from being done, and comes true when DNS has the record.
func TestWaiting(t *testing.T) {
	t.Parallel()
	k := newKey(t, "s")
	want := &sparkpost.State{Pools: []sparkpost.PoolSpec{{Name: "p", SigningDomain: new("a.example")}},
		Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: k, VerifyDKIM: true}, {Name: "gen.example", VerifyDKIM: true}}}
	dns := resolver{txt: map[string][]string{}}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, LookupTXT: func(name string) ([]string, error) { return dns.LookupTXT(t.Context(), name) }})
	c := connect(t, srv)
	round := func() *sparkpost.Changes {
		have := mustRead(t, c, want)
		if err := have.LookUp(t.Context(), dns, want); err != nil {
			t.Fatal(err)
		}
		changes := mustPlan(t, have, want)
		if _, err := sparkpost.Apply(t.Context(), c, changes, nil); err != nil {
			t.Fatalf("%v\n%s", err, changes)
		}
		return changes
	}
	if got := round(); len(got.List) != 3 || len(got.Conflicts) != 3 || len(got.Records) != 1 {
		t.Errorf("first round:\n%s%s", got, got.Records)
	}
	second := round() // now the generated key is known
	if len(second.List) != 0 || len(second.Conflicts) != 3 || len(second.Records) != 2 || second.Empty() {
		t.Errorf("second round:\n%s%s", second, second.Records)
	}
	for _, r := range second.Records {
		dns.txt[r.Name] = []string{r.Value}
	}
	if got := round(); len(got.List) != 3 || len(got.Conflicts) != 0 {
		t.Errorf("third round:\n%s", got)
	}
	if got := round(); !got.Empty() {
		t.Errorf("fourth round:\n%s", got)
	}
	if p, err := c.Pools.Get(t.Context(), "p"); err != nil || p.SigningDomain != "a.example" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestStatePositions(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"{\n \"subacounts\": []\n}", "line 2, column 14: subacounts: there is no such member"},
		{"{\"sending_domains\":[{\"domain\":\"a.example\",\n\"dkim\":{\"selector\":\"s\",\"private\":\"MIIEsecret\"}}]}",
			"line 2, column 33: sending_domains.dkim.private: there is no such member"},
		{"{\"ip_pools\":[{\"Name\":\"x\"}]}", "ip_pools.Name: there is no such member"},
		{"{\"ip_pools\":[{\"name\":\"x\",\"name\":\"y\"}]}", "ip_pools.name: it occurs twice"},
		{"{\"ip_pools\":{}}", "ip_pools: an object is not expected here"},
		{"{\"region\":[]}", "region: a list is not expected here"},
		{"{\"sending_domains\":[{\"domain\":17}]}", "a string is needed"},
		{"{\"sending_ips\":[{\"auto_warmup_stage\":\"secret\"}]}", "a int is needed"},
		{"{} {}", "line 1, column 5: text after the end of the document"},
		{"", "line 1, column 1: it is not JSON: it ends too early"},
		{"{\"ip_pools\":[", "it is not JSON: it ends too early"},
		{"{\n\n  secret", "line 3, column 3: it is not JSON: unexpected character"},
		{strings.Repeat("[", 1000000), "line 1, column 102: it is not JSON: too many levels"},
		{strings.Repeat(`{"a":`, 1000000), "too many levels"},
		{"[]", "a list is not expected here"},
		{"null", "the document is no object"},
		{"\"secret\"", "the document is no object"},
	}
	for _, tt := range tests {
		s, err := sparkpost.ParseState([]byte(tt.text))
		var e *sparkpost.StateError
		if !errors.As(err, &e) || s != nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
	_, err := sparkpost.ParseState([]byte(`{"a":1,"b":{"c":[{}]},"ip_pools":[{"d":null}]}`))
	if n := strings.Count(fmt.Sprint(err), "no such member"); n != 3 {
		t.Errorf("%d faults: %v", n, err)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"region":"EU","ip_pools":[{"name":"p","signing_domain":""}],"sending_domains":[{"domain":"a.example","dkim":{"selector":"s","file":"f"},"status":{"ownership_verified":true}}],"dns":{"x":{"txt":["a"]}}}`))
	f.Add([]byte(`{"subaccounts":[{"name":"x","id":1,"ip_pool":null}],"remove":[{"kind":"ip_pool","key":"x"}]}`))
	f.Add([]byte(`{"sending_ips":[{"external_ip":"192.0.2.1","auto_warmup_stage":1e2}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := sparkpost.ParseState(data)
		if err != nil {
			var e *sparkpost.StateError
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 0 || s != nil {
				t.Fatalf("%#v", err)
			}
			return
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sparkpost.ParseState(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if b, err := json.Marshal(again); err != nil || string(b) != string(text) {
			t.Errorf("%s became %s, %v", text, b, err)
		}
		if c, err := sparkpost.Plan(&sparkpost.State{}, s); err == nil {
			_, _, _ = c.String(), c.Markdown(), c.Records.Zone()
		}
	})
}

// The schema and the Go types name the same members with the same types, at every level.
func TestStateSchema(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal(sparkpost.StateSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(map[string]any)
	used := map[string]bool{}
	n := 0
	var check func(at string, s map[string]any, typ reflect.Type)
	check = func(at string, s map[string]any, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if ref, ok := s["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			used[name] = true
			s = defs[name].(map[string]any)
		}
		kinds := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Slice: "array",
			reflect.Struct: "object", reflect.Map: "object"}
		if _, enum := s["enum"]; enum {
			if typ.Kind() != reflect.String {
				t.Errorf("%s: an enum for a %v", at, typ)
			}
			return
		}
		if s["type"] != kinds[typ.Kind()] {
			t.Errorf("%s: schema says %v, Go has %v", at, s["type"], typ)
		}
		n++
		switch typ.Kind() {
		case reflect.Slice:
			check(at+"[]", s["items"].(map[string]any), typ.Elem())
		case reflect.Map:
			check(at+"{}", s["additionalProperties"].(map[string]any), typ.Elem())
		case reflect.Struct:
			if typ == reflect.TypeFor[sparkpost.DomainStatus]() || typ == reflect.TypeFor[sparkpost.TrackingStatus]() {
				return // read only
			}
			if s["additionalProperties"] != false {
				t.Errorf("%s: other members are allowed", at)
			}
			props := maps.Clone(s["properties"].(map[string]any))
			for f := range typ.Fields() {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "-" {
					continue
				}
				sub, ok := props[name].(map[string]any)
				if !ok {
					t.Errorf("%s.%s is not in the schema", at, name)
					continue
				}
				delete(props, name)
				check(at+"."+name, sub, f.Type)
			}
			for name := range props {
				t.Errorf("%s.%s is in the schema only", at, name)
			}
		}
	}
	check("", schema, reflect.TypeFor[sparkpost.State]())
	if len(used) != len(defs) || n < 30 {
		t.Errorf("%d of %d definitions used, %d members compared", len(used), len(defs), n)
	}
}
