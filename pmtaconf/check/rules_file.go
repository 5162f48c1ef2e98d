package check

import (
	"runtime"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// holdsSecret reports whether the value of a line holds a password or a key: of a certificate the password behind it, of a
// privacy-policy the key of a hash.
func holdsSecret(it *item) bool {
	if !it.known || !it.def.Secret || it.value == "" {
		return false
	}
	switch {
	case strings.HasSuffix(it.name, "certificate"):
		return len(strings.Fields(it.d.Value())) > 1
	case it.name == "privacy-policy":
		return strings.HasPrefix(strings.ToLower(it.value), "siphash") || strings.HasPrefix(strings.ToLower(it.value), "hmac")
	}
	return true
}

// forSparkPost reports whether a secret is an API key of SparkPost.
func forSparkPost(it *item) bool {
	return it.name == "auth-password" && strings.EqualFold(it.in.arg, sparkpost) || it.name == "api-key" && it.in.name == "signals"
}

func plaintextSecrets(p *pass) {
	p.readable(func(it *item) bool { return !forSparkPost(it) }, "others can read this file, and the passwords in it")
}

func relayKeyReadable(p *pass) {
	p.readable(forSparkPost, "others can read this file, and the API key in it")
}

// readable reports the first secret of each file that everybody can read. Where the file system gives no permissions, or none that
// mean anything, it says so.
func (p *pass) readable(counts func(*item) bool, message string) {
	seen := make(map[*pmtaconf.File]bool)
	for _, it := range p.items {
		f := it.d.Parent().File()
		if !holdsSecret(it) || !counts(it) || seen[f] {
			continue
		}
		seen[f] = true
		mode, known := p.c.Mode(f)
		switch {
		case !known || runtime.GOOS == "windows":
			d := p.keyword(it, "who can read this file and the secrets in it is not known here: it comes without permissions", "let nobody but the product read it")
			d.Severity = pmtaconf.Info
		case mode.Perm()&0o004 != 0:
			p.keyword(it, message, "let nobody but the product read it, with chmod o-r")
		}
	}
}
