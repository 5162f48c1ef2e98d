package pmtaconf_test

import (
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestMask(t *testing.T) {
	t.Parallel()
	const h = pmtaconf.Hidden
	for in, want := range map[string]string{
		"password abc":                         "password " + h,
		"  Auth-Password\tabc  # c\r\n":        "  Auth-Password\t" + h + "  # c\r\n",
		"password a#b # c":                     "password " + h,
		"password a #b":                        "password " + h + " #b",
		"password #a":                          "password " + h,
		"password":                             "password",
		"password  \n":                         "password  \n",
		"# password abc":                       "# password " + h,
		"##  ## api-key abc # c":               "##  ## api-key " + h + " # c",
		"; api-key abc":                        "; api-key " + h,
		mark + "http-api-key abc\nx y\n":       mark + "http-api-key " + h + "\nx y\n",
		"\u00a0password abc":                   "\u00a0password " + h,
		"password\u00a0abc":                    "password" + h,
		"password=abc":                         "password" + h,
		`password "a b"`:                       "password " + h,
		"<smtp-user x> password abc":           "<smtp-user x> password " + h,
		"<a \"b > c\"> password abc </a>":      "<a \"b > c\"> password " + h,
		"x y\rpassword abc\rz w":               "x y\rpassword " + h,
		"privacy-policy key abc":               "privacy-policy key " + h,
		`privacy-policy "two words" abc # c`:   `privacy-policy "two words" ` + h + " # c",
		`privacy-policy "half abc`:             `privacy-policy "half ` + h,
		"privacy-policy key":                   "privacy-policy key",
		"smtp-client-certificate /x.pem abc":   "smtp-client-certificate /x.pem " + h,
		"smtp-client-certificate /x.pem # abc": "smtp-client-certificate /x.pem # abc",
		"tls-certificate /x.pem abc":           "tls-certificate /x.pem " + h,
		"smtp-server-tls-certificate /x abc":   "smtp-server-tls-certificate /x " + h,
		"passwords abc":                        "passwords " + h,
		"# passwords abc":                      "# passwords abc",
		"auth-pasword abc # c":                 "auth-pasword " + h + " # c",
		"AUTHPASSWORD abc":                     "AUTHPASSWORD " + h,
		"paswsord abc":                         "paswsord " + h,
		"http-apl-key abc":                     "http-apl-key " + h,
		"tls-certficate /x.pem abc":            "tls-certficate /x.pem " + h,
		"pass abc":                             "pass abc",
		"passwd abc":                           "passwd abc",
		"x-password abc":                       "x-password abc",
		"password-file abc":                    "password-file abc",
		"domain-key k,*,/x.pem":                "domain-key k,*,/x.pem",
		"log-file /password abc":               "log-file /password abc",
		"/password expired/ bad-mailbox":       "/password expired/ bad-mailbox",
		"a 1\npassword b\nc 2":                 "a 1\npassword " + h + "\nc 2",
		"":                                     "",
	} {
		if got := pmtaconf.Mask(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for name, secret := range map[string]bool{"PASSWORD": true, "api-key": true, "http-api-key": true, "auth-password": true, "auth-username": false, "domain-key": false, "": false} {
		if pmtaconf.Secret(name) != secret {
			t.Errorf("Secret(%q) is %t", name, !secret)
		}
	}
}

// Each name with a slip at each place is taken for the name, and no directive of another name is.
func TestMaskSlips(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api-key", "auth-password", "http-api-key", "password", "smtp-server-tls-certificate", "tls-certificate", "privacy-policy"} {
		for i := range len(name) {
			for _, slip := range []string{name[:i] + name[i+1:], name[:i] + "x" + name[i:], name[:i] + "x" + name[i+1:], name[:i] + name[min(i+1, len(name)-1):min(i+2, len(name))] + name[i:i+1] + name[min(i+2, len(name)):]} {
				if slip[0] == '-' || i == len(name)-1 && len(slip) > len(name)+1 {
					continue
				}
				if got := pmtaconf.Mask(slip + " x s3cr3t\n"); strings.Contains(got, "s3cr3t") {
					t.Errorf("%q", got)
				}
			}
		}
	}
	for d := range schema.All() {
		if line := d.Name + " a b\n"; !pmtaconf.Secret(d.Name) && pmtaconf.Mask(line) != line {
			t.Errorf("%q is masked", line)
		}
	}
}

// TestNothingLeaks puts a secret into every place where one may stand, with and without a fault, and looks for it in all that is shown.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"password s3cr3t", "#password s3cr3t", "auth-password s3cr3t#s3cr3t", "<domain x> auth-password s3cr3t", "<domain x> auth-password s3cr3t </domain>",
		"password \xff s3cr3t", "password s3cr3t\x00", "password s3cr3t\rs3cr3t", "auth-password=s3cr3t", mark + "password s3cr3t", "\u00a0password s3cr3t",
		"privacy-policy k s3cr3t", "<smtp-user x\npassword s3cr3t",
	} {
		src := line + "\n"
		c, err := pmtaconf.Load(mapFS(map[string]string{"config": src}), "config", nil)
		c.Main().AtStart().AddComment("first")
		for n := range c.Main().All() {
			if _, bad := n.(*pmtaconf.Bad); bad || n.Pos().IsValid() {
				n.Parent().Remove(n)
			}
		}
		shown := c.Diff(nil)
		if err != nil {
			shown += err.Error()
		}
		for _, d := range c.Diagnostics() {
			shown += d.Render([]byte(src)) + d.Error() + d.Hint
		}
		if strings.Contains(shown, "s3cr3t") {
			t.Errorf("%q shows in:\n%s", line, shown)
		}
	}
}
