package schema

// kind is how a value is read.
type kind uint8

const (
	kUnknown kind = iota
	kBoolean
	kBoolInterval
	kInteger
	kSize
	kInterval
	kIntervals
	kRate
	kDataRate
	kDailyLimits
	kEnum
	kRecords
	kString
	kName
	kNames
	kDomain
	kPattern
	kHost
	kHostPort
	kIP
	kSourceIP
	kEmail
	kEmails
	kEmailOrRegex
	kHeader
	kHeaders
	kHeadersOrRegex
	kPath
	kCiphers
	kAPIKey
	kURL
	kQueues
	kQueueTo
	kRoute
	kSMTPHosts
	kSourceHost
	kListener
	kAccess
	kDomainKey
	kMacro
	kCertificate
	kAlias
	kPickup
	kMXLimit
	kNetCount
	kNetRate
	kNetDataRate
	kSignals
	kIdentity
	kMapHeader
	kRecordFields
	kPrivacy
	kRewrite
	kRewriteDomain
	kSenderRule
	kProxyClient
	kRollup
	kMatchRule
	kReply
	kCategory
)

// kindInfo is what is known of a kind.
type kindInfo struct {
	name   string // Directive.Type
	syntax string // for people; empty where the keywords are all
	words  bool   // keywords of the directive belong to the syntax
	stated bool   // "" is no value; it is one of all kinds that the guide lets clear, and of those where it is silent (guide 6.3.15)
	// read gives the value in its canonical spelling. It notes what is wrong; the spelling is then without meaning.
	read func(c *checker, t text) string
}

func (k kind) of() *kindInfo { return &kinds[k] }

// kinds is filled by init, as what reads a value needs it.
var kinds [kCategory + 1]kindInfo

func init() {
	kinds = [...]kindInfo{
		kUnknown:        {"unknown", "not known", false, false, readAny},
		kBoolean:        {"boolean", "yes | no | true | false", false, true, value(parseBoolean)},
		kBoolInterval:   {"boolean-or-time-interval", "yes | no | true | false | TIME", true, true, readBoolInterval},
		kInteger:        {"integer", "NUMBER", true, true, readInteger},
		kSize:           {"size", "NUMBER[b|k|m|g|t]", true, true, readSize},
		kInterval:       {"time-interval", "TIME, as in 1w2d12h", true, true, readInterval},
		kIntervals:      {"time-interval-list", "TIME[,TIME...], at most 30", false, true, value(parseIntervals)},
		kRate:           {"rate", "N/[M]{d|h|m|s} | 0 | unlimited", false, true, value(parseRate)},
		kDataRate:       {"data-rate", "N[b|k|m|g|t]/[M]{d|h|m|s} | 0 | unlimited", false, true, value(parseDataRate)},
		kDailyLimits:    {"daily-limits", "N/d[,N/d...]", false, true, value(parseDailyLimits)},
		kEnum:           {"enum", "", true, true, readEnum},
		kRecords:        {"record-types", "TYPE[,TYPE...]", true, true, readRecords},
		kString:         {"string", "TEXT", false, false, readString},
		kName:           {"name", "NAME", true, false, readName},
		kNames:          {"name-list", "NAME[,NAME...]", false, false, readNames},
		kDomain:         {"domain", "DOMAIN", false, false, readDomain},
		kPattern:        {"domain-pattern", "DOMAIN | *.DOMAIN | [*.]DOMAIN | [NETWORK] | *", false, false, value(parsePattern)},
		kHost:           {"host", "HOST-NAME", false, false, readHost},
		kHostPort:       {"host-port", "{ADDRESS|HOST-NAME}:PORT", false, false, readHostPort},
		kIP:             {"ip", "ADDRESS", false, false, readIP},
		kSourceIP:       {"source-ip", "{ADDRESS|NETWORK} [HOST-NAME]", false, false, readSourceIP},
		kEmail:          {"email", "ADDRESS@DOMAIN", false, false, readEmail},
		kEmails:         {"email-list", "ADDRESS@DOMAIN[,ADDRESS@DOMAIN...]", false, false, readEmails},
		kEmailOrRegex:   {"email-or-regex", "ADDRESS@DOMAIN | LOCAL-PART | /REGEX/", false, false, readEmailOrRegex},
		kHeader:         {"header-name", "HEADER", false, false, readHeader},
		kHeaders:        {"header-list", "HEADER[,HEADER...]", false, false, readHeaders},
		kHeadersOrRegex: {"header-or-regex-list", "{HEADER|/REGEX/}[,...]", false, false, readHeadersOrRegex},
		kPath:           {"path", "PATH", false, false, value(parsePath)},
		kCiphers:        {"cipher-list", "OPENSSL-CIPHER-LIST", false, false, readName},
		kAPIKey:         {"api-key", "KEY of 32 to 128 letters, digits and underscores", false, true, readAPIKey},
		kURL:            {"url", "http[s]://HOST[:PORT][/PATH]", false, false, readURL},
		kQueues:         {"queue-list", "[!]DOMAIN[/VMTA][,...]", false, false, readQueues},
		kQueueTo:        {"queue-to", `DOMAIN | {sparkpost} | ""`, false, false, value(parseQueueTo)},
		kRoute:          {"route", "HOST[:PORT] | [ADDRESS][:PORT]", false, false, value(parseHostSpec)},
		kSMTPHosts:      {"smtp-hosts", `HOST[:PORT]{,|;}... | lookup-mx:DOMAIN | ""`, false, false, value(parseSMTPHosts)},
		kSourceHost:     {"smtp-source-host", "{ADDRESS|NETWORK} HOST-NAME", false, false, value(parseSourceHost)},
		kListener:       {"smtp-listener", "{ADDRESS|NETWORK}:PORT [source=NAME]", false, false, value(parseListener)},
		kAccess:         {"http-access", "NETWORK {none|monitor[,deny-logs]|operator|admin}", false, false, value(parseAccess)},
		kDomainKey:      {"domain-key", "SELECTOR,{DOMAIN|*},FILE", false, false, value(parseDomainKey)},
		kMacro:          {"domain-macro", "NAME DOMAIN[,DOMAIN...]", false, false, value(parseMacro)},
		kCertificate:    {"certificate", "FILE [PASSWORD]", false, false, readCertificate},
		kAlias:          {"alias", "{ADDRESS|LOCAL-PART|*@DOMAIN} TARGET[,TARGET...]", false, false, readAlias},
		kPickup:         {"pickup", "FOLDER BAD-FILE-FOLDER", false, false, readPickup},
		kMXLimit:        {"mx-limit", "MX-PATTERN NUMBER", false, false, readMXLimit},
		kNetCount:       {"network-limit", "NETWORK NUMBER", true, false, readNetCount},
		kNetRate:        {"network-rate", "NETWORK RATE", false, false, readNetRate},
		kNetDataRate:    {"network-data-rate", "NETWORK DATA-RATE", false, false, readNetDataRate},
		kSignals:        {"enable-signals", "true[,subaccount=N] | false | FILTER", false, false, readSignals},
		kIdentity:       {"dkim-identity", "ADDRESS@DOMAIN | [@]DOMAIN", true, false, readIdentity},
		kMapHeader:      {"map-header", "TYPE header_NAME FIELD", false, false, readMapHeader},
		kRecordFields:   {"record-fields", "TYPE {*|[!]FIELD}[,...]", false, false, readRecordFields},
		kPrivacy:        {"privacy-policy", "retain | redact [TEXT] | siphash KEY | siphash-hexkey HEX | hmac-sha256 KEY | hmac-sha256-hexkey HEX", false, false, readPrivacy},
		kRewrite:        {"rewrite-sender", "{A@B|A@*|*@B|*@*|<>} {A@B|A@*|*@B|<>}", false, false, readRewrite},
		kRewriteDomain:  {"rewrite-domain", "DOMAIN-PATTERN DOMAIN", false, false, readRewriteDomain},
		kSenderRule:     {"sender-rule", "DOMAIN-PATTERN {enable-signals[,subaccount=N]|disable-signals}", false, false, readSenderRule},
		kProxyClient:    {"proxy-client", "ADDRESS[:PORT] HOST-NAME", false, false, readProxyClient},
		kRollup:         {"rollup", "MX-PATTERN NAME.rollup [rollup-by-ip]", false, false, readRollup},
		kMatchRule:      {"match-rule", "[HEADER] /REGEX/ {virtual-mta=NAME|recipient-priority=N|call-to:LIST}[,...]", false, false, readMatchRule},
		kReply:          {"reply-rule", "/REGEX/ ACTION[,ACTION...]", false, false, readReply},
		kCategory:       {"bounce-category", "CATEGORY", false, false, readName},
	}
}
