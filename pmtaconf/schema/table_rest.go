package schema

// spoolRows are the directives of <spool>.
var spoolRows = []row{
	{"delete-file-holders", kBoolean, "false", 0, "3.3.2.1", x{}},
	{"deliver-only", kBoolean, "false", 0, "3.3.2.2", x{}},
	{"priority", kInteger, "1", 0, "3.3.2.3", x{min: 1, max: 100}},
	{"min-free-space", kSize, "0", 0, "3.3.2.4", x{}},
}

// bounceProcessorRows are the directives of <bounce-processor>.
var bounceProcessorRows = []row{
	{"deliver-unmatched-email", kBoolean, "true", restart, "3.3.3.1", x{}},
	{"deliver-matched-email", kBoolean, "false", restart, "3.3.3.2", x{}},
	{"deliver-email", kUnknown, "", unclear | restart | deprecated, "3.3.3.3", x{use: "deliver-matched-email and deliver-unmatched-email"}},
	{"forward-unmatched-to", kEmail, "", unclear | restart, "3.3.3.4; 12.6", x{}},
	{"forward-errors-to", kEmail, "", unclear | restart, "3.3.3.5; 12.6", x{}},
}

// feedbackLoopProcessorRows are the directives of <feedback-loop-processor>.
var feedbackLoopProcessorRows = []row{
	{"deliver-unmatched-email", kBoolean, "true", 0, "3.3.4.1", x{}},
	{"deliver-matched-email", kBoolean, "false", 0, "3.3.4.2", x{}},
	{"deliver-email", kUnknown, "", unclear | deprecated, "3.3.4.3", x{use: "deliver-matched-email and deliver-unmatched-email"}},
	{"forward-unmatched-to", kEmail, "", many, "3.3.4.4; 12.7", x{}},
	{"forward-errors-to", kEmail, "", many, "3.3.4.5; 12.7", x{}},
}

// addressListRows are the directives of <address-list>.
var addressListRows = []row{
	{"address", kEmailOrRegex, "", many, "3.3.5.1; 10.16", x{words: "local-part", note: "a bare local part is shown in 10.16 only"}},
	{"address-file", kPath, "", unclear, "3.3.5.2; 10.16", x{}},
	{"domain", kDomain, "", many, "3.3.5.3", x{}},
}

// emailPatternsRows are the directives of <email-patterns>.
var emailPatternsRows = []row{
	{"body-pattern-file", kPath, "", many, "3.3.6.1; 12.10", x{}},
	{"log-match-info", kBoolean, "", 0, "3.3.6.2", x{}},
}

// smtpUserRows are the directives of <smtp-user>.
var smtpUserRows = []row{
	{"password", kString, "", secret, "3.3.8.1; 10.4.2", x{}},
	{"authentication-method", kEnum, "password", 0, "3.3.8.2", x{words: "password system certificate", note: "system: Linux only"}},
	{"tls-certificate", kPath, "", 0, "3.3.8.3", x{}},
	{"source", kName, "", 0, "3.3.8.4", x{}},
}

// sourceGroupRows are the directives of <source-group>.
var sourceGroupRows = []row{
	{"max-smtp-in", kInteger, "unlimited", 0, "3.3.9.1", x{words: "unlimited"}},
	{"reserved-smtp-in", kInteger, "unlimited", 0, "3.3.9.2", x{words: "unlimited"}},
}

// acctFileRows are the directives of <acct-file>.
var acctFileRows = []row{
	{"delete-after", kInterval, "8d", 0, "3.3.11.1", x{words: "never"}},
	{"move-to", kPath, "", 0, "3.3.11.2", x{}},
	{"move-interval", kInterval, "1d", 0, "3.3.11.3", x{}},
	{"max-size", kSize, "250M", 0, "3.3.11.4", x{min: 1 << 20}},
	{"queue-filter", kQueues, "", 0, "3.3.11.5", x{}},
	{"retry-interval", kInterval, "5m", 0, "3.3.11.6", x{note: "pipes only"}},
	{"iso-times", kBoolean, "yes", 0, "3.3.11.7", x{}},
	{"user-string", kString, "", 0, "3.3.11.8", x{}},
	{"write-timeout", kInterval, "1m", 0, "3.3.11.9", x{note: "pipes only"}},
	{"map-header-to-field", kMapHeader, "", many, "3.3.11.10; 12.7.1", x{note: "not for tq; 12.7.1 writes fbl for f"}},
	{"records", kRecords, "d,b", 0, "3.3.11.11", x{words: "d b t tq r rb rs f", note: "long names: delivery bounce transient transient-queue receipt remote-bounce remote-status feedback-loop"}},
	{"record-fields", kRecordFields, "*", many, "3.3.11.12", x{note: "takes the short and long names of records"}},
	{"world-readable", kBoolean, "no", 0, "3.3.11.13", x{}},
	{"count-moved-records", kBoolean, "false", 0, "3.3.11.14", x{}},
	{"sync", kBoolean, "false", 0, "3.3.11.15", x{}},
	{"privacy-policy", kPrivacy, "retain", secret, "3.3.11.16", x{}},
}

// virtualMtaRows are the directives of <virtual-mta>.
var virtualMtaRows = []row{
	{"smtp-source-host", kSourceHost, "", iGlobal | iIncl | many, "3.3.1.16; 8.2", x{}},
	{"use-proxy", kNames, "", iGlobal | iIncl, "3.3.12.1; 3.3.1.39; 10.2", x{}},
	{"max-smtp-msg-rate", kRate, "unlimited", iPool | iIncl, "3.3.12.2", x{}},
	{"max-smtp-data-volume-rate", kDataRate, "unlimited", iPool | iIncl, "3.3.12.3", x{}},
	{"cold-virtual-mta", kName, "", iPool | iIncl | many, "3.3.12.4; 10.7.1", x{}},
	{"host-name", kHost, "", iGlobal | iIncl | unclear, "3.3.12.5; 3.3.1.25", x{}},
	{"domain-key", kDomainKey, "", iPool | iGlobal | iIncl | many, "3.3.12.6; 3.3.1.33.1", x{}},
	{"include-headers-from", kPath, "", iPool | iGlobal | iIncl | unclear, "3.3.12.7; 3.3.1.33.3", x{}},
	{"max-smtp-out", kInteger, "unlimited", iPool | iIncl, "3.3.12.8; 6.3.15", x{words: "unlimited", note: "the default is from the dump of 6.3.15"}},
	{"rewrite-list", kName, "", iPool | iIncl, "3.3.12.9; 3.3.18", x{}},
	{"include", kPath, "", many, "3.3.12.10", x{}},
	{"enable-signals", kSignals, "", iPool | iGlobal | iIncl, "10.1.4.1.1", x{note: "restart recommended"}},
}

// virtualMtaPoolRows are the directives of <virtual-mta-pool>.
var virtualMtaPoolRows = []row{
	{"virtual-mta", kName, "", many, "3.3.13.1; 8.3", x{}},
	{"domain-key", kDomainKey, "", iGlobal | many, "3.3.13.3", x{}},
	{"include-headers-from", kPath, "", iGlobal | unclear, "3.3.13.4", x{}},
	{"max-smtp-msg-rate", kRate, "unlimited", 0, "3.3.13.5", x{}},
	{"max-smtp-out", kInteger, "", 0, "3.3.13.6", x{words: "unlimited", note: "3.3.13.6 points to the directive of <domain>, not of <virtual-mta>"}},
	{"rewrite-list", kName, "", 0, "3.3.13.7", x{}},
	{"max-smtp-data-volume-rate", kDataRate, "unlimited", 0, "3.3.13.8", x{}},
	{"cold-virtual-mta", kName, "", many, "3.3.13; 8.3", x{note: "named in the text on pools, without a heading"}},
	{"enable-signals", kSignals, "", iGlobal, "10.1.4.1.1", x{note: "restart recommended"}},
}

// patternListRows are the directives of <pattern-list>.
var patternListRows = []row{
	{"header", kMatchRule, "", many, "3.3.14.1", x{}},
	{"mail-from", kMatchRule, "", many, "3.3.14.2", x{}},
	{"rcpt-to", kMatchRule, "", many, "3.3.14.3", x{}},
	{"*", kMatchRule, "", unclear, "3.3.14.3; 8.4.2", x{note: "matches everything; shown in nested lists only"}},
}

// smtpPatternListRows are the directives of <smtp-pattern-list>.
var smtpPatternListRows = []row{
	{"reply", kReply, "", iIncl | many, "3.3.15", x{}},
	{"include", kPath, "", many, "3.3.15.1", x{}},
}

// dnsRows are the directives of <dns>.
var dnsRows = []row{
	{"precached-domains-file", kPath, "", 0, "3.3.16.1; 10.13", x{}},
	{"precached-refresh-interval", kInterval, "5m", 0, "3.3.16.2", x{}},
	{"precached-max-domains", kInteger, "500", 0, "3.3.16.3", x{}},
}

// smtpListenerRows are the directives of <smtp-listener>.
var smtpListenerRows = []row{
	{"await-slot", kBoolean, "false", 0, "3.3.17.1", x{}},
	{"immediate-tls", kBoolean, "false", 0, "3.3.17.2", x{}},
	{"source", kName, "", 0, "3.3.17.3", x{}},
	{"tls-certificate", kCertificate, "", iGlobal | secret, "3.3.17.4", x{from: "smtp-server-tls-certificate"}},
	{"tls-allow-tlsv1.2", kBoolean, "true", 0, "3.3.17.5", x{}},
	{"tls-allow-tlsv1.1", kBoolean, "true", 0, "3.3.17.6", x{}},
	{"tls-allow-tlsv1", kBoolean, "false", 0, "3.3.17.7", x{}},
	{"tls-allow-sslv3", kBoolean, "false", 0, "3.3.17.8", x{}},
	{"tls-ciphers", kCiphers, "HIGH:!ADH:@STRENGTH", 0, "3.3.17.9", x{}},
	{"tls-ca-file", kPath, "", 0, "3.3.17.10", x{}},
}

// rewriteListRows are the directives of <rewrite-list>.
var rewriteListRows = []row{
	{"mail-from", kRewrite, "", many, "3.3.18.1", x{}},
	{"from-domain", kRewriteDomain, "", many, "3.3.18.2", x{}},
}

// domainKeyListRows are the directives of <domain-key-list>.
var domainKeyListRows = []row{
	{"domain-key", kDomainKey, "", many, "3.3.19.1; 10.6.2", x{}},
}

// transmissionsApiRows are the directives of <transmissions-api>.
var transmissionsApiRows = []row{
	{"log-requests", kBoolean, "false", 0, "3.3.20.1", x{}},
	{"api-key", kAPIKey, "", many | secret, "3.3.20.1.1; 10.19.3", x{}},
	{"log-data", kBoolean, "false", 0, "3.3.20.1.2", x{}},
	{"log-tls", kBoolean, "false", 0, "3.3.20.1.3", x{}},
	{"tls-ca-file", kPath, "", unproved, "10.19.2", x{note: "10.19.2 has it here, 3.3.21.7 in the listener"}},
}

// transmissionsApiListenerRows are the directives of <transmissions-api-listener>.
var transmissionsApiListenerRows = []row{
	{"tls-certificate", kCertificate, "", secret | required, "3.3.21.1; 10.19.1", x{}},
	{"tls-allow-tlsv1.2", kBoolean, "true", 0, "3.3.21.2", x{}},
	{"tls-allow-tlsv1.1", kBoolean, "true", 0, "3.3.21.3", x{}},
	{"tls-allow-tlsv1", kBoolean, "false", 0, "3.3.21.4", x{}},
	{"tls-allow-sslv3", kBoolean, "false", 0, "3.3.21.5", x{}},
	{"tls-ciphers", kCiphers, "HIGH:!ADH:@STRENGTH", 0, "3.3.21.6", x{}},
	{"tls-ca-file", kPath, "", 0, "3.3.21.7", x{}},
	{"tls-trusted-certificate", kUnknown, "", unclear | unproved, "10.19.1", x{note: "named in a comment of an example"}},
}

// signalsRows are the directives of <signals>.
var signalsRows = []row{
	{"api-key", kAPIKey, "", secret | required, "10.1.4.2.1", x{words: "hex40", note: "restart recommended"}},
	{"upload-url", kURL, "https://api.sparkpost.com/api/v1/ingest/events", 0, "10.1.4.2.2", x{note: "restart recommended"}},
	{"engagement-tracking", kBoolean, "false", 0, "10.1.4.2.3", x{note: "restart recommended"}},
	{"custom-message-id-header", kHeader, "", 0, "10.1.4.2.4", x{note: "restart recommended"}},
	{"process-x-sp-subaccount-id", kBoolean, "false", 0, "10.1.4.2.5", x{note: "restart recommended"}},
	{"retain-x-sp-subaccount-id", kBoolean, "false", 0, "10.1.4.2.6", x{note: "restart recommended"}},
	{"log-verbose", kBoolean, "false", 0, "10.1.4.2.7", x{note: "restart recommended"}},
	{"min-free-space", kSize, "20M", 0, "10.1.4.2.8", x{note: "restart recommended"}},
	{"privacy-policy", kEnum, "retain", 0, "10.1.4.2.9", x{words: "retain sha1", note: "restart recommended"}},
}

// signalsFilterRows are the directives of <signals-filter>.
var signalsFilterRows = []row{
	{"sender-or-from", kSenderRule, "", many, "10.1.4.3.1", x{note: "restart recommended"}},
}

// proxyRows are the directives of <proxy>.
var proxyRows = []row{
	{"server", kHostPort, "", required, "10.2.1.1.1", x{}},
	{"client", kProxyClient, "", required, "10.2.1.1.2", x{}},
}

// mxRollupListRows are the directives of <mx-rollup-list>.
var mxRollupListRows = []row{
	{"mx", kRollup, "", many, "10.17", x{note: "known from examples; rollup-by-ip is shown with a wildcard only"}},
}

// bounceCategoryPatternsRows are the directives of <bounce-category-patterns>.
var bounceCategoryPatternsRows = []row{
	{"/REGEX/", kCategory, "", many, "10.8.1", x{note: "the pattern opens the line, without a keyword"}},
}

// aliasesRows are the directives of <aliases>.
var aliasesRows = []row{
	{"alias", kAlias, "", many, "12.9", x{}},
}
