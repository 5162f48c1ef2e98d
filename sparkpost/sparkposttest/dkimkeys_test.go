package sparkposttest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// failure is an answer with one error of the family that has codes.
func failure(message, code, description string) string {
	return fmt.Sprintf(`{"errors":[{"message":%q,"code":%q,"description":%q}]}`, message, code, description)
}

func TestDKIMKeys(t *testing.T) {
	t.Parallel()
	private, public := pair(t, false)
	private8, public8 := pair(t, true)
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	records := map[string]string{"pm7._domainkey.shop.example": "v=DKIM1; k=rsa; h=sha256; p=" + public}
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return now }, LookupTXT: func(name string) ([]string, error) {
		if v, ok := records[name]; ok {
			return []string{v}, nil
		}
		return nil, errors.New("no such host")
	}})
	defer srv.Close()
	const keys = "/sending-domains/shop.example/dkim-keys"
	invalid := func(description string) string { return failure("invalid params", "1300", description) }
	both := `"private":"` + private + `","public":"` + public + `"`
	made := `{"results":{"id":"promo","signing_domain":"shop.example","selector":"pm7","public":"` + public + `","headers":"from:to:subject:date",
		"dkim_status":"%s","is_default":false,"dkim_key_length":1024,"created_at":"2026-07-01T09:00:00Z","updated_at":"2026-07-01T09:00:00Z",
		"dns":{"dkim_record":"pm7._domainkey.shop.example","dkim_value":"v=DKIM1; k=rsa; h=sha256; p=` + public + `"}}}`
	threeParts := "When providing custom keys, private, public, and selector must all be specified"
	run(t, srv, []step{
		{"POST", "/subaccounts", "", `{"name":"s","setup_api_key":false}`, 200, "", ""},
		{"GET", keys, "", "", 404, failure("resource not found", "1600", "Domain 'shop.example' does not exist"), ""},
		{"POST", "/sending-domains", "", `{"domain":"shop.example"}`, 200, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"bounce.example","generate_dkim":false}`, 200, "", ""},
		{"GET", "/sending-domains/bounce.example/dkim-keys", "", "", 200, `{"results":[],"total_count":0}`, ""},
		{"GET", "/sending-domains/bounce.example/dkim-keys/default", "", "", 404, failure("resource not found", "1600", "DKIM key 'default' does not exist"), ""},
		{"GET", keys, "101", "", 404, failure("resource not found", "1600", "Domain 'shop.example' does not exist"), ""},

		{"POST", keys, "", `{"selector":"pm7",` + both + `}`, 422, failure("required field is missing", "1400", "id is required"), ""},
		{"POST", keys, "", `{"id":"default"}`, 400, invalid("Key ID 'default' is reserved"), ""},
		{"POST", keys, "", `{"id":"-x"}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":"` + strings.Repeat("x", 65) + `"}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":5}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":"promo","selector":"pm7"}`, 400, invalid(threeParts), ""},
		{"POST", keys, "", `{"id":"promo",` + both + `}`, 400, invalid(threeParts), ""},
		{"POST", keys, "", `{"id":"promo","selector":"pm7","private":"` + private + `","public":"` + public8 + `"}`, 400, invalid("private and public do not match"), ""},
		{"POST", keys, "", `{"id":"promo","dkim_key_length":512}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":"promo","signing_domain":""}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":"promo","headers":""}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"POST", keys, "", `{"id":"promo","selector":"pm7",` + both + `}`, 200, fmt.Sprintf(made, "unverified"), ""},
		{"POST", keys, "", `{"id":"promo"}`, 400, invalid("Key ID 'promo' already exists"), ""},
		{"POST", keys, "", `{"id":"own","selector":"x","dkim_key_length":1024,` + both + `}`, 200, "", "dkim_key_length is ignored"},
		{"DELETE", keys + "/own", "", "", 204, "", ""},
		{"POST", keys, "", `{"id":"Made_1","signing_domain":"Sign.Example","headers":"from","dkim_key_length":1024}`, 200,
			`{"results":{"signing_domain":"sign.example","selector":"scph0726k1","headers":"from","dkim_key_length":1024,"dns":{"dkim_record":"scph0726k1._domainkey.sign.example"}}}`, ""},
		{"POST", keys, "", `{"id":"made-2"}`, 200, `{"results":{"selector":"scph0726k2","dkim_key_length":2048}}`, ""},
		{"GET", keys, "", "", 200, `{"results":[{"id":"default","is_default":true,"dkim_status":"unverified"},{"id":"promo","is_default":false},{"id":"Made_1"},{"id":"made-2"}],"total_count":4}`, ""},
		{"GET", keys + "/promo", "", "", 200, fmt.Sprintf(made, "unverified"), ""},
		{"GET", keys + "/default", "", "", 200, `{"results":{"id":"default","signing_domain":"shop.example","dns":{"dkim_record":"scph0726._domainkey.shop.example"}}}`, ""},
		{"GET", keys + "/none", "", "", 404, failure("resource not found", "1600", "DKIM key 'none' does not exist"), ""},
		{"PUT", keys + "/none", "", `{"headers":"from"}`, 404, failure("resource not found", "1600", "DKIM key 'none' does not exist"), ""},
		{"DELETE", keys + "/none", "", "", 404, failure("resource not found", "1600", "DKIM key 'none' does not exist"), ""},
		{"POST", keys + "/none/verify", "", `{}`, 404, failure("resource not found", "1600", "DKIM key 'none' does not exist"), ""},

		{"POST", keys + "/promo/verify", "", `{}`, 200, `{"results":{"id":"promo","dkim_status":"valid","dns":{"dkim_record":"pm7._domainkey.shop.example"}}}`, ""},
		{"POST", keys + "/made-2/verify", "", `{}`, 200, `{"results":{"id":"made-2","dkim_status":"invalid","dns":{"dkim_error":"no DKIM record found"}}}`, ""},
		{"POST", keys + "/default/verify", "", `{}`, 400,
			invalid("Cannot verify default key via this endpoint. Use /sending-domains/{domain}/verify with dkim_verify: true instead."), ""},

		{"PUT", keys + "/default", "", `{"headers":"from"}`, 400, invalid("Cannot update default key via this endpoint. Use /sending-domains/{domain} instead."), ""},
		{"PUT", keys + "/promo", "", `{"id":"promo"}`, 400, invalid("Field 'id' is immutable"), ""},
		{"PUT", keys + "/promo", "", `{"private":"` + private8 + `","public":"` + public8 + `"}`, 400, invalid(threeParts), ""},
		{"PUT", keys + "/promo", "", `{"headers":""}`, 400, `{"errors":[{"code":"1300"}]}`, ""},
		{"PUT", keys + "/promo", "", `{}`, 200, "", "update without a change"},
		{"PUT", keys + "/promo", "", `{"headers":"from:date"}`, 200,
			`{"results":{"message":"Successfully updated DKIM key.","headers":"from:date","dkim_status":"valid","dns":{"dkim_record":"*"}}}`, ""},
		{"PUT", keys + "/promo", "", `{"signing_domain":"d.example"}`, 200,
			`{"results":{"signing_domain":"d.example","headers":"from:date","selector":"pm7","dkim_status":"unverified","dns":{"dkim_record":"pm7._domainkey.d.example"}}}`, ""},
		{"PUT", keys + "/promo", "", `{"signing_domain":"shop.example"}`, 200, "", ""},
		{"POST", keys + "/promo/verify", "", `{}`, 200, `{"results":{"dkim_status":"valid"}}`, ""},
		{"PUT", keys + "/promo", "", `{"selector":"pm7","private":"` + private8 + `","public":"` + public8 + `"}`, 200, `{"results":{"public":"` + public8 + `","dkim_status":"unverified"}}`, ""},
		{"POST", keys + "/promo/verify", "", `{}`, 200, `{"results":{"dkim_status":"invalid","dns":{"dkim_error":"public key in the record does not match"}}}`, ""},

		{"GET", "/sending-domains/shop.example", "", "", 200, `{"results":{"status":{"ownership_verified":false}}}`, ""},
		{"DELETE", keys + "/default", "", "", 400, invalid("Cannot delete default key"), ""},
		{"DELETE", keys + "/promo", "", "", 204, "", ""},
		{"GET", keys + "/promo", "", "", 404, `{"errors":[{"code":"1600"}]}`, ""},
		{"DELETE", "/sending-domains/shop.example", "", "", 204, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"shop.example"}`, 200, "", ""},
		{"GET", keys, "", "", 200, `{"results":[{"id":"default"}],"total_count":1}`, ""},
	})
	now = now.Add(14 * 24 * time.Hour)
	run(t, srv, []step{{"GET", keys, "", "", 404, "", ""}})
}

func TestDKIMKeyLimit(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	steps := []step{{"POST", "/sending-domains", "", `{"domain":"shop.example"}`, 200, "", ""}}
	for i := range 257 {
		status := 200
		if i == 256 {
			status = 400
		}
		steps = append(steps, step{"POST", "/sending-domains/shop.example/dkim-keys", "", fmt.Sprintf(`{"id":"k%d","dkim_key_length":1024}`, i), status, "", ""})
	}
	run(t, srv, steps)
}
