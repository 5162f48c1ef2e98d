package check_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// leaks are configurations in which a rule speaks of a line that holds a secret. KEY stands for it.
var leaks = []struct {
	code pmtaconf.Code
	src  string
}{
	{"relay-starttls", relay("auth-password KEY\n", "")},
	{"relay-starttls", inVMTA("*", "smtp-hosts smtp.sparkpostmail.com\nauth-password KEY\n")},
	{"relay-tls-version", relay("auth-password KEY\n", "")},
	{"relay-key-in-main", relay("auth-password KEY\n", "")},
	{"relay-key-readable", "-- config@644 --\n" + relay("auth-password \"KEY\"\n", "")},
	{"relay-key-readable", "-- config@644 --\n<signals>\napi-key KEY\n</signals>\n"},
	{"relay-no-key", relay("auth-password #KEY\n", "") + "<source 0/0>\ndefault-virtual-mta r\n</source>\n"},
	{"relay-signals", relay("", "") + "<signals>\napi-key KEY\n</signals>\n"},
	{"plaintext-secrets", "-- config@644 --\n<smtp-user u>\npassword KEY\n</smtp-user>\n"},
	{"plaintext-secrets", "-- config@644 --\nhttp-api-key KEY\n"},
	{"plaintext-secrets", "-- config@644 --\nsmtp-server-tls-certificate /a.pem KEY\n"},
	{"plaintext-secrets", "-- config@644 --\n<acct-file a>\nprivacy-policy siphash \"KEY\"\n</acct-file>\n"},
	{"siphash-key", "<acct-file a>\nprivacy-policy siphash \"KEY\"\n</acct-file>\n"},
	{"hash-in-value", "<smtp-user u>\npassword #KEY\n</smtp-user>\n"},
	{"hash-in-value", "<smtp-user u>\npassword KEY#KEY\n</smtp-user>\n"},
	{"hash-in-value", "<smtp-user u>\npassword \"KEY#KEY\"\n</smtp-user>\n"},
	{"api-key-format", "<signals>\napi-key KEY\n</signals>\n"},
	{"api-key-format", "http-api-key KEY,KEY\n"},
	{"user-method-mismatch", "<smtp-user u>\npassword KEY\nauthentication-method system\n</smtp-user>\n"},
	{"duplicate-directive", "<smtp-user u>\npassword KEY\npassword KEY2\n</smtp-user>\n"},
	{"duplicate-directive", "<smtp-user u>\npassword KEY\npassword KEY\n</smtp-user>\n"},
	{"duplicate-scope", "<smtp-user u>\npassword KEY\n</smtp-user>\n<smtp-user u>\npassword KEY\n</smtp-user>\n"},
	{"misplaced-directive", "auth-password KEY\n"},
	{"foreign-directive", "<route r>\nauth-password KEY\n</route>\n"},
	{"undocumented-directive", "<domain *>\nsmtp-client-certificate /a.pem KEY\n</domain>\n"},
	{"unknown-directive", "<domain *>\nauth-pasword KEY\n</domain>\n"},
	{"unknown-directive", "<smtp-user u>\npaswsord KEY\n</smtp-user>\n"},
	{"unknown-directive", "<domain *>\nauthpassword KEY\n</domain>\n"},
	{"unknown-tag", "<smtp-users u>\npassword KEY\n</smtp-users>\n"},
}

// No finding holds a secret: not its text, its place as it is shown, its edit, nor any of them as JSON.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range leaks {
		const secret = "Zk5-no_1.should+see"
		src := strings.ReplaceAll(tt.src, "KEY", secret)
		found := check.Run(load(src), nil)
		if !slices.ContainsFunc(found, func(d *pmtaconf.Diagnostic) bool { return d.Code == tt.code }) {
			t.Errorf("%s: not found in %q: %v", tt.code, tt.src, found)
		}
		for _, d := range found {
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			shown := fmt.Sprintf("%s %v %+v %#v %s", text, d, d, d.Related, d.Render(files(src)[d.File].Data))
			for _, r := range d.Related {
				shown += fmt.Sprintf("%+v", r)
			}
			if d.Fix != nil {
				shown += d.Fix.New
			}
			if strings.Contains(shown, "Zk5") || strings.Contains(shown, "should") {
				t.Errorf("%s in %q shows the secret: %s", d.Code, tt.src, strings.ReplaceAll(shown, secret, "KEY"))
			}
		}
	}
}
