package schema

// unknownRows are directives whose scope the guide does not say.
var unknownRows = []row{
	{"acct-log-header", kUnknown, "", unclear | unproved, "11.5.1", x{note: "named once, in an acctfind example"}},
}

// globalOldRows are what real files have at the top level beside the guide's directives.
var globalOldRows = []row{
	{"sync-msg-create", kBoolean, "", old, "", x{}},
	{"sync-msg-update", kBoolean, "", old, "", x{}},
	{"total-max-file", kInteger, "", old, "", x{}},
	{"dummy-smtp-has-mailmerge", kBoolean, "", old, "", x{}},
	{"dummy-smtp-blacklist", kPath, "", old, "", x{}},
	{"dummy-smtp-log-blacklist", kBoolean, "", old, "", x{}},
	{"dummy-smtp-blacklist-bounce-method", kName, "", old, "", x{}},
	{"dummy-smtp-blacklist-bounce-percent", kInteger, "", old, "", x{max: 100}},
	{"job-class", kUnknown, "", foreign, "", x{}},
	{"max-connections", kUnknown, "", foreign, "", x{use: "total-max-smtp-in or total-max-smtp-out"}},
	{"max-connections-per-source", kUnknown, "", foreign, "", x{use: "max-smtp-in in <source-group>"}},
	{"binding-rate-limit", kUnknown, "", foreign, "", x{}},
	{"max-multithreading-degree", kUnknown, "", foreign, "", x{}},
	{"dns-cache-ttl", kUnknown, "", foreign, "", x{}},
	{"dns-parallel-queries", kUnknown, "", foreign, "", x{}},
	{"queue-checkpoint-interval", kUnknown, "", foreign, "", x{}},
	{"queue-dump-directory", kUnknown, "", foreign, "", x{}},
}

// sourceOldRows are what real files, and the guide in passing, have in <source> beside its directives.
var sourceOldRows = []row{
	{"suppression-list", kNames, "", iSource | unclear | unproved, "3.3.5", x{use: "suppression-lists", note: "so spelled once"}},
	{"remove-received-headers", kBoolean, "", iSource | old, "", x{note: "remove-header takes headers away by name"}},
	{"check-mfrom-inbound", kBoolean, "", iSource | old, "", x{use: "check-spf-inbound"}},
}

// domainOldRows are what real files, and the guide in passing, have in <domain> beside its directives.
var domainOldRows = []row{
	{"max-cold-virtual-mta", kDailyLimits, "", iQueue | unproved, "10.9.1", x{use: "max-cold-virtual-mta-msg", note: "so abbreviated once"}},
	{"421-means-mx-unavailable", kBoolean, "", iQueue | old, "", x{use: "smtp-421-means-mx-unavailable"}},
	{"dk-sign", kBoolean, "", iQueue | old, "", x{use: "dkim-sign", note: "DomainKeys, the predecessor of DKIM"}},
	{"bounce-address", kUnknown, "", foreign, "", x{}},
	{"bounce-log", kUnknown, "", foreign, "", x{use: "<acct-file> with records b"}},
	{"failure-log", kUnknown, "", foreign, "", x{use: "<acct-file> with records b"}},
	{"use-dkim", kUnknown, "", foreign, "", x{use: "dkim-sign"}},
	{"dkim-signer-domain", kUnknown, "", foreign, "", x{use: "domain-key"}},
	{"dkim-private-key-file", kUnknown, "", foreign, "", x{use: "domain-key"}},
	{"max-delivery-attempts", kUnknown, "", foreign, "", x{use: "bounce-after"}},
	{"attempt-interval", kUnknown, "", foreign, "", x{use: "retry-after"}},
}

// virtualMtaOldRows are what real files have in <virtual-mta> beside the guide's directives.
var virtualMtaOldRows = []row{
	{"smtp-source-ip", kSourceIP, "", iIncl | many | old, "", x{use: "smtp-source-host", note: "stood beside host-name"}},
	{"auto-cold-virtual-mta", kSourceHost, "", iIncl | many | old, "", x{use: "cold-virtual-mta", note: "presumably made the VMTA with the suffix -cold that 3.3.10.48 speaks of"}},
}

// The scopes below are of a public file that claims a later release.

var routeRows = []row{
	{"virtual-mta", kUnknown, "", foreign, "", x{}},
	{"domain", kUnknown, "", foreign, "", x{}},
	{"smtp-host", kUnknown, "", foreign, "", x{use: "smtp-hosts in <domain>"}},
	{"auth-username", kUnknown, "", foreign, "", x{use: "auth-username in <domain>"}},
	{"auth-password", kUnknown, "", secret | foreign, "", x{use: "auth-password in <domain>"}},
	{"max-smtp-out", kUnknown, "", foreign, "", x{use: "max-smtp-out in <domain>"}},
	{"max-smtp-connections", kUnknown, "", foreign, "", x{use: "max-smtp-out in <domain>"}},
}

var bounceLogRows = []row{
	{"filename", kUnknown, "", foreign, "", x{}},
	{"record-all-bounces", kUnknown, "", foreign, "", x{}},
	{"output-format", kUnknown, "", foreign, "", x{}},
}

var smtpSourceRows = []row{
	{"port", kUnknown, "", foreign, "", x{use: "smtp-listener"}},
	{"max-connections", kUnknown, "", foreign, "", x{}},
	{"max-connections-per-source", kUnknown, "", foreign, "", x{}},
	{"log-connections", kUnknown, "", foreign, "", x{use: "log-connections in <source>"}},
	{"max-message-size", kUnknown, "", foreign, "", x{use: "max-message-size in <source>"}},
	{"allow-auth", kUnknown, "", foreign, "", x{use: "allow-auth in <source>"}},
}

var policyRows = []row{
	{"relay-allowed", kUnknown, "", foreign, "", x{use: "always-allow-relaying in <source>"}},
}

var performanceSettingsRows = []row{
	{"queue-cache-memory", kUnknown, "", foreign, "", x{}},
	{"max-workers", kUnknown, "", foreign, "", x{}},
}
