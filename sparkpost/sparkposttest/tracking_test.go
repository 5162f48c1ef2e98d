package sparkposttest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestTrackingDomains(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	alias := map[string]string{}
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return now }, LookupCNAME: func(name string) (string, error) {
		if v, ok := alias[name]; ok {
			return v, nil
		}
		return "", errors.New("no such host")
	}})
	defer srv.Close()
	const one = "/tracking-domains/click.shop.example"
	const missing = `{"errors":[{"message":"resource not found"}]}`
	invalid := func(value string) string {
		return `{"errors":[{"message":"domain must be valid","param":"domain","value":` + value + `}]}`
	}
	run(t, srv, []step{
		{"POST", "/subaccounts", "", `{"name":"s","setup_api_key":false}`, 200, "", ""},
		{"GET", "/tracking-domains", "", "", 200, `{"results":[]}`, ""},
		{"POST", "/tracking-domains", "", `{}`, 422, invalid("null"), ""},
		{"POST", "/tracking-domains", "", `{"domain":"shop.example"}`, 422, invalid(`"shop.example"`), ""},
		{"POST", "/tracking-domains", "", `{"domain":"a b.shop.example"}`, 422, invalid(`"a b.shop.example"`), ""},
		{"POST", "/tracking-domains", "101", `{"domain":"Click.Shop.Example","secure":false}`, 200, `{"results":{"domain":"click.shop.example"}}`, ""},
		{"POST", "/tracking-domains", "", `{"domain":"click.shop.example"}`, 409, `{"errors":[{"message":"The tracking domain already exists"}]}`, ""},
		{"POST", "/tracking-domains", "", `{"domain":"t.shop.example"}`, 200, "", ""},
		{"POST", "/tracking-domains", "", `{"domain":"u.shop.example","secure":true}`, 200, "", ""},
		{"POST", "/tracking-domains", "", `{"domain":"v.shop.example","default":true}`, 200, "", `"default" is ignored`},
		{"GET", one, "101", "", 200, `{"results":{"domain":"click.shop.example","secure":false,"port":80,"default":false,"subaccount_id":101,
			"status":{"verified":false,"cname_status":"unverified","compliance_status":"valid"}}}`, ""},
		{"GET", "/tracking-domains/u.shop.example", "", "", 200, `{"results":{"secure":true,"port":443}}`, ""},

		{"GET", one, "", "", 404, missing, ""},
		{"PUT", one, "", `{"secure":true}`, 404, missing, ""},
		{"DELETE", one, "", "", 404, missing, ""},
		{"POST", one + "/verify", "", "", 404, missing, ""},
		{"POST", one + "/certificate/check", "", "", 404, missing, ""},
		{"POST", one + "/certificate/enable", "", "", 404, missing, ""},
		{"GET", "/tracking-domains/nodots", "", "", 400, invalid(`"nodots"`), ""},
		{"PUT", "/tracking-domains/nodots", "", `{"secure":true}`, 400, invalid(`"nodots"`), ""},
		{"DELETE", "/tracking-domains/nodots", "", "", 400, invalid(`"nodots"`), ""},
		{"POST", "/tracking-domains/nodots/verify", "", "", 404, missing, ""},

		{"GET", "/tracking-domains", "", "", 200, `{"results":[{"domain":"click.shop.example"},{"domain":"t.shop.example"},{"domain":"u.shop.example"},{"domain":"v.shop.example"}]}`, ""},
		{"GET", "/tracking-domains", "0", "", 200, `{"results":[{"domain":"t.shop.example"},{"domain":"u.shop.example"},{"domain":"v.shop.example"}]}`, ""},
		{"GET", "/tracking-domains", "101", "", 200, `{"results":[{"domain":"click.shop.example"}]}`, ""},
		{"GET", "/tracking-domains?subaccounts=101,7", "", "", 200, `{"results":[{"domain":"click.shop.example"}]}`, ""},
		{"GET", "/tracking-domains?subaccounts=0", "", "", 200, `{"results":[{"domain":"t.shop.example"},{"domain":"u.shop.example"},{"domain":"v.shop.example"}]}`, ""},

		{"PUT", one, "101", `{"default":true}`, 422, `{"errors":[{"message":"Tracking domain 'click.shop.example' unverified."}]}`, ""},
		{"PUT", one, "101", `{}`, 200, "", "update without a change"},
		{"POST", one + "/verify", "101", "", 200, `{"results":{"verified":false,"cname_status":"invalid","compliance_status":"valid"}}`, ""},
		{"POST", "/tracking-domains/u.shop.example/verify", "", "", 400, "", ""},
		{"PUT", "/tracking-domains/u.shop.example", "", `{"secure":false}`, 200, `{"results":{"domain":"u.shop.example"}}`, ""},
		{"GET", "/tracking-domains/u.shop.example", "", "", 200, `{"results":{"secure":false,"port":80}}`, ""},
		{"POST", one + "/certificate/check", "101", "", 200, `{"results":{"domain":"click.shop.example","supportsManagedCertificate":false}}`, ""},
		{"POST", one + "/certificate/enable", "101", "", 400, `{"errors":[{"message":"Domain must be verified before enabling managed certificates"}]}`, ""},
	})

	alias["click.shop.example"], alias["t.shop.example"], alias["u.shop.example"] = "spgo.io.", "V2.spgo.io", "spgo.io"
	run(t, srv, []step{
		{"POST", one + "/verify", "101", "", 200, `{"results":{"verified":true,"cname_status":"valid","compliance_status":"valid"}}`, ""},
		{"POST", "/tracking-domains/t.shop.example/verify", "", "", 200, `{"results":{"verified":true}}`, ""},
		{"POST", "/tracking-domains/u.shop.example/verify", "", "", 200, `{"results":{"verified":true}}`, ""},
		{"PUT", one, "101", `{"default":true}`, 200, `{"results":{"domain":"click.shop.example"}}`, ""},
		{"PUT", "/tracking-domains/t.shop.example", "", `{"default":true}`, 200, "", ""},
		{"PUT", "/tracking-domains/u.shop.example", "", `{"default":true}`, 200, "", ""},
		{"GET", "/tracking-domains?default=true", "", "", 200, `{"results":[{"domain":"click.shop.example"},{"domain":"u.shop.example"}]}`, ""},
		{"GET", "/tracking-domains?default=false", "", "", 200, `{"results":[{"domain":"t.shop.example"},{"domain":"v.shop.example"}]}`, ""},
		{"PUT", "/tracking-domains/u.shop.example", "", `{"default":false}`, 200, "", ""},
		{"GET", "/tracking-domains?default=true", "", "", 200, `{"results":[{"domain":"click.shop.example"}]}`, ""},

		{"POST", one + "/certificate/enable", "101", "", 403, "", ""},
		{"POST", "/tracking-domains/t.shop.example/certificate/check", "", "", 200, `{"results":{"domain":"t.shop.example","supportsManagedCertificate":true}}`, ""},
		{"POST", "/tracking-domains/t.shop.example/certificate/enable", "", "", 200, `{"results":{"message":"Certificate issuance initiated for t.shop.example"}}`, ""},
		{"GET", "/tracking-domains/t.shop.example", "", "", 200, `{"results":{"secure":false,"uses_managed_certificate":true,"status":{"tls_status":"pending"}}}`, ""},
	})
	for _, tt := range []struct {
		at              time.Duration
		issued, expires string
	}{
		{15 * time.Minute, "2026-07-01T09:15:00Z", "2026-09-29T09:15:00Z"},
		{76 * 24 * time.Hour, "2026-09-14T09:15:00Z", "2026-12-13T09:15:00Z"},
		{400 * 24 * time.Hour, "2027-07-11T09:15:00Z", "2027-10-09T09:15:00Z"},
	} {
		now = time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC).Add(tt.at)
		run(t, srv, []step{{"GET", "/tracking-domains/t.shop.example", "", "", 200, `{"results":{"secure":true,"port":443,"status":{"tls_status":"valid"},
			"tls_certificate":{"issued_at":"` + tt.issued + `","expires_at":"` + tt.expires + `","error_code":null}}}`, ""}})
	}
	run(t, srv, []step{
		{"POST", "/tracking-domains/t.shop.example/verify", "", "", 200, `{"results":{"verified":true}}`, ""},
		{"POST", "/sending-domains", "101", `{"domain":"news.shop.example","tracking_domain":"click.shop.example"}`, 200, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"other.shop.example","tracking_domain":"click.shop.example"}`, 400,
			failure("invalid params", "1200", "Tracking domain 'click.shop.example' is not a registered tracking domain"), ""},
		{"DELETE", one, "101", "", 204, "", ""},
		{"GET", one, "101", "", 404, missing, ""},
	})
}
