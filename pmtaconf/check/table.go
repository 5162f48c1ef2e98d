package check

import (
	"cmp"
	"slices"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Severities, short for the table.
const (
	eRR  = pmtaconf.Error
	warn = pmtaconf.Warning
	info = pmtaconf.Info
)

const (
	otherFile = "the answer stands in a file that the configuration only names"
	running   = "it speaks of a change or of a running server, not of a configuration"
)

var table = sorted(slices.Concat(guideRules, fileRules, relayRules))

func sorted(rules []Rule) []Rule {
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) })
	return rules
}

// guideRules are what the guide justifies.
var guideRules = []Rule{
	{"missing-log-file", eRR, "the configuration has no log-file", "3.3.1.37.2; 4.2.1", "", missingLogFile},
	{"missing-spool", eRR, "the configuration has no spool", "3.3.1.4; 3.3.2", "", missingSpool},
	{"missing-postmaster", warn, "the configuration has no postmaster", "3.3.1.3", "", missingPostmaster},
	{"log-file-relative-unix", eRR, "the path of log-file is not absolute", "3.3.1.37.2", "", logFileRelative},
	{"macro-loop", eRR, "a macro stands for itself", "3.3.10", "", macroLoop},
	{"macro-name", eRR, "a macro's name holds something other than letters, digits and underscores", "3.3.1.33.4", "", fromValues},
	{"pool-name-taken", eRR, "a pool has the name of a VMTA", "8.3; 3.3.13", "", poolNameTaken},
	{"vmta-two-domain-pools", eRR, "a VMTA is in several pools that hold <domain>", "3.3.13.2", "", vmtaTwoDomainPools},
	{"pattern-list-late", eRR, "a source uses a pattern list that is defined below it", "3.3.7.39", "", patternListLate},
	{"pattern-list-twice", eRR, "a source has several pattern lists", "8.4.2", "", twice("source", "pattern-list")},
	{"pickup-twice", eRR, "several pickup folders", "3.3.1.34.1", "", twice("global", "pickup")},
	{"records-twice", eRR, "records more than once in an <acct-file>", "3.3.11.11", "", twice("acct-file", "records")},
	{"rollup-suffix", eRR, "a rollup queue's name does not end in .rollup", "10.17", "", fromValues},
	{"proxy-incomplete", eRR, "a <proxy> lacks its name, server or client", "10.2.1.1", "", proxyIncomplete},
	{"proxy-undefined", eRR, "use-proxy names a proxy that is not defined", "3.3.1.39", "", proxyUndefined},
	{"smtp-pattern-conflict", eRR, "the actions of a reply entry rule one another out", "3.3.15", "", fromValues},
	{"rewrite-target", eRR, "the target of a rewrite rule is not allowed", "3.3.18.1", "", fromValues},
	{"key-list-scope", eRR, "<domain-key-list> stands inside a scope", "3.3.19", "", scopeIn("domain-key-list", "global")},
	{"ip-limit-scope", eRR, "ip-connection-limit stands inside a scope", "3.3.1.38.2", "", ipLimitScope},
	{"email-patterns-scope", eRR, "<email-patterns> stands outside of the processors", "3.3.6", "", scopeIn("email-patterns", "bounce-processor", "feedback-loop-processor")},
	{"api-key-format", eRR, "an API key does not have its form", "3.3.1.36.5; 3.3.20.1.1; 10.1.4.2.1", "", fromValues},
	{"signals-subaccount", eRR, "a subaccount stands beside something other than true", "10.1.4.1.1; 10.1.4.3.1", "", fromValues},
	{"listener-certificate", eRR, "a <transmissions-api-listener> has no tls-certificate", "10.19.1", "", listenerCertificate},
	{"http-delivery-url", eRR, "type http-delivery has no sound http-delivery-url", "3.3.10.98.1", "", httpDeliveryURL},
	{"pipe-command", eRR, "type pipe has no command", "3.3.10.97.1", "", pipeCommand},
	{"acct-max-size-min", eRR, "max-size of an accounting file is below 1M", "3.3.11.4", "", fromValues},
	{"siphash-key", eRR, "a key of privacy-policy has the wrong length", "3.3.11.16", "", fromValues},
	{"queue-filter-reserved", eRR, "an element of queue-filter is not allowed", "3.3.11.5", "", fromValues},
	{"map-header-tq", eRR, "tq cannot be mapped", "3.3.11.10", "", fromValues},
	{"range", eRR, "a number or a length is out of range", "3.3.2.3; 3.3.10.15; 3.3.14; 3.3.10.81; 10.15; 3.3.10.33", "", fromValues},
	{"reroute-to-pool", eRR, "a reroute names a pool", "3.3.10.49; 3.3.10.50", "", rerouteToPool},
	{"hash-in-value", eRR, "a # cuts a value off", "3.1; 3.3.10.55; 3.3.15", "", fromValues},
	{"vmta-undefined", warn, "a name is neither a VMTA nor a pool", "3.3.1.33.2; 3.3.7.31; 8.5.2", "", vmtaUndefined},
	{"reroute-undefined", warn, "a reroute names a VMTA that is not defined", "3.3.1.33.2", "", rerouteUndefined},
	{"fallback-ineffective", warn, "invalid-virtual-mta-fallback without reject-invalid-virtual-mta false", "3.3.1.33.2", "", fallbackIneffective},
	{"open-relay-listener", warn, "a listener's source lets everyone relay", "3.3.1.20; 8.4.3", "", openRelayListener},
	{"http-access-world", warn, "the web monitor is open to the world", "3.3.1.36.3", "", httpAccessWorld},
	{"csrf-off", warn, "protection against forged requests is off", "3.3.1.36.4", "", valueIs("http-csrf-protection", false, "forged requests can reach the web monitor")},
	{"https-off", warn, "the web monitor does without TLS", "3.3.1.36.2", "", valueIs("http-redirect-to-https", false, "passwords and keys go to the web monitor in plain text")},
	{"plaintext-secrets", warn, "a file with passwords can be read by others", "10.4.2", "", plaintextSecrets},
	{"auth-rate-without-require", warn, "smtp-max-auth-failure-rate without require-auth", "3.3.7.7", "", needs("source", "smtp-max-auth-failure-rate", "require-auth")},
	{"user-method-mismatch", warn, "password beside another authentication-method", "3.3.8.1; 3.3.8.2", "", userMethod},
	{"retain-dkim-key", warn, "the private key is delivered with the mail", "3.3.7.43", "", valueIs("retain-x-dkim-key", true, "the private key is delivered with the mail")},
	{"dkim-key-header-alone", warn, "process-x-dkim-key without process-x-dkim-options", "3.3.7.42", "", needs("source", "process-x-dkim-key", "process-x-dkim-options")},
	{"dkim-sign-no-key", warn, "dkim-sign without any key", "3.3.10.19", "", dkimSignNoKey},
	{"dkim-wildcard-order", warn, "a domain-key for * stands before others", "3.3.1.33.1", "", dkimWildcardOrder},
	{"dkim-fallback-alone", warn, "dkim-identity-fallback without dkim-identity", "3.3.10.29", "", needs("domain", "dkim-identity-fallback", "dkim-identity")},
	{"dkim-forbidden-header", warn, "a header that must not be signed", "3.3.10.27", "", dkimForbiddenHeader},
	{"vmta-no-source-host", warn, "a VMTA without address uses the global ones", "8.2", "", vmtaNoSourceHost},
	{"spf-outbound-no-source", warn, "check-spf-outbound without smtp-source-host", "3.3.10.2; 10.5", "", spfNoSource},
	{"spf-outbound-bounce-domain", warn, "check-spf-outbound holds for own bounce domains", "10.5", "", spfBounceDomain},
	{"backoff-sticky", warn, "back-off mode has no end", "3.3.10.46", "", needs("domain", "backoff-upon-all-sources-disabled", "backoff-to-normal-after")},
	{"backoff-loop", warn, "back-off reroutes go in a circle", "3.3.10.50", "", backoffLoop},
	{"reenable-ignored", info, "reenable-source-ip-after is ignored for some replies", "3.3.10.47", "", reenableIgnored},
	{"cold-incomplete", warn, "a cold limit without any cold-virtual-mta, or the reverse", "10.7.1", "", coldIncomplete},
	{"queue-to-no-hosts", warn, "the target of queue-to has no smtp-hosts", "10.9.1", "", queueToNoHosts},
	{"queue-to-neighbours", info, "settings beside queue-to do not govern the target", "10.9.1", "", queueToNeighbours},
	{"rollup-no-hosts", warn, "a rollup queue needs smtp-hosts", "10.17", "", rollupNoHosts},
	{"rollup-no-domain", info, "a rollup queue has no <domain> of its own", "10.17", "", rollupNoDomain},
	{"listener-hides-default", warn, "a listener removes the implicit 0.0.0.0:25", "3.3.1.20", "whether port 25 was meant to stay open the configuration does not say", nil},
	{"smtp-ip-ignored", warn, "smtp-ip and smtp-port are ignored beside smtp-listener", "3.3.1.20", "", smtpIPIgnored},
	{"deprecated", warn, "a directive or tag that something else has replaced", "3.3", "", deprecated},
	{"date-time-alone", warn, "date-header-time without add-date-header", "3.3.7.2", "", needs("source", "date-header-time", "add-date-header")},
	{"require-starttls-alone", warn, "require-starttls beside use-starttls no", "3.3.10.94.2", "", requireSTARTTLS},
	{"dane-resolver", info, "use-dane needs a DNSSEC resolver", "3.3.10.94.3", "whether a resolver validates the configuration does not say", nil},
	{"weak-tls", warn, "SSLv3 or TLS 1.0 is switched on", "3.3.1.11; 3.3.10.94.5", "", weakTLS},
	{"data-timeout-low", warn, "a time-out is below the minimum of the RFC", "3.3.10.66; 3.3.10.54", "", dataTimeoutLow},
	{"type-mismatch", warn, "directives of another type of queue", "3.3.10.95; 3.3.10.97", "", typeMismatch},
	{"move-interval-alone", warn, "move-interval without move-to, or delete-after with it", "3.3.11.2; 3.3.11.1", "", moveInterval},
	{"pipe-only-directive", warn, "a directive for pipes in an accounting file", "3.3.11.6; 3.3.11.9", "", pipeOnly},
	{"acct-t-volume", info, "t and tq stand beside other records", "3.3.11.11", "", acctVolume},
	{"queue-filter-negated", warn, "queue-filter lets nothing through", "3.3.11.5", "", queueFilterNegated},
	{"user-string-unused", info, "user-string needs the field userString", "3.3.11.8", "", userStringUnused},
	{"rcpt-to-multi", info, "rcpt-to rules are meant for messages with one recipient", "3.3.14.3", "how many recipients messages have the configuration does not say", nil},
	{"suppression-size", warn, "an address list holds more than 500 patterns", "10.16", "", suppressionSize},
	{"conn-limits", info, "a limit of connections is beyond what the guide advises", "3.3.1.1; 3.3.1.2", "", connLimit},
	{"precache-count", warn, "precached-max-domains is beyond the file's entries", "3.3.16.3", otherFile, nil},
	{"macro-shadowed", info, "a <domain> beats one that a macro gives", "3.3.10", "", macroShadowed},
	{"named-source-unused", info, "a named source that nothing refers to", "3.3.7", "", namedSourceUnused},
	{"unknown-reserved-name", warn, "an unknown name in braces", "3.3.7; 3.3.11.5", "", unknownReserved},
	{"restart-needed", info, "a change needs a restart", "3.1", running, nil},
	{"host-name-relays", info, "host-name accepts mail like relay-domain", "3.3.1.25", "it holds for every host-name, so a finding would say nothing about this one", nil},
	{"edits-config-defaults", warn, "upgrades overwrite config-defaults", "5.8", "whether the file was edited shows in comparison with the product's only", nil},
	{"undocumented-directive", info, "the guide has the directive, but no description of it", "", "", undocumented},
}

// fileRules are the mistakes of real files, and what the schema finds beside the guide's rules.
var fileRules = []Rule{
	{"unknown-directive", eRR, "a directive that no release is known to have", "", "", unknownDirective},
	{"misplaced-directive", warn, "a directive in a scope that the guide does not have it in", "", "", misplacedDirective},
	{"unknown-tag", warn, "a tag that is not known there", "", "", unknownTag},
	{"foreign-directive", warn, "a directive of public files that no guide has", "", "", foreignDirective},
	{"old-directive", info, "a directive of earlier releases", "", "", oldDirective},
	{"bad-value", eRR, "a value does not have its form", "", "", fromValues},
	{"missing-value", eRR, "a directive lacks its value", "", "", fromValues},
	{"bad-argument", eRR, "a tag's argument does not have its form", "", "", fromValues},
	{"placeholder-value", info, "a template's placeholder stands for a value", "", "", fromValues},
	{"source-host-swapped", eRR, "the address and the name of smtp-source-host are swapped", "3.3.1.16", "", fromValues},
	{"domain-key-fields", eRR, "domain-key has four parts", "3.3.1.33.1", "", fromValues},
	{"pool-weight", eRR, "a pool's line holds more than a name", "3.3.13.1", "", fromValues},
	{"several-domains", eRR, "one <domain> holds several names", "3.3.10", "", fromValues},
	{"duplicate-directive", warn, "a directive that is given once stands twice in a scope", "", "", duplicateDirective},
	{"duplicate-scope", warn, "two scopes have the same name", "", "", duplicateScope},
	{"name-case", warn, "two names differ in case only", "", "", nameCase},
	{"pattern-unreachable", warn, "an entry of a list is never reached", "3.3.14; 10.8.1", "", patternUnreachable},
	{"bounce-after-short", warn, "mail bounces before it is tried again", "3.3.10.11; 3.3.10.39", "", bounceAfterShort},
	{"size-unit", warn, "a size without a unit", "3.3.7.34", "", sizeUnit},
	{"smtp-pattern-list-undefined", warn, "an SMTP pattern list is not defined", "3.3.15", "", smtpListUndefined},
}
