package routing

// doubt is the number of a doubt in the table.
type doubt uint8

// The doubts, in the order of the table.
const (
	// how the file is read
	dDuplicateScope doubt = iota
	dDuplicateLine
	dNameCase
	dNameClash
	dMacroAgain
	dMacroShadow
	// settings of a queue
	dLevel
	dSuffixOrder
	dStarReserved
	dLocal
	dEmptyValue
	dListLines
	dTwoPools
	dDefaultScope
	// sources
	dListener
	dUserListener
	dAuthUnder
	dSpecialSource
	dLoopback
	// selection
	dAPISource
	dPickupHeader
	dPickupDefault
	dHTTPSource
	dHeaderRepeat
	dHeaderEnd
	dPatternCase
	dPatternMatch
	dNested
	dCallMiss
	dCallBeside
	dTopStar
	dRcptOrder
	dByAddress
	dByAddressNet
	dPoolAsVMTA
	dAliasOrder
	// pools
	dRoundRobin
	dRepeated
	dUnknownMember
	dPoolInPool
	dEmptyPool
	// queues
	dQueueChain
	dRollupWild
	dRollupQueueTo
	dColdChain
	dColdDay
	dReroute
	dRerouteChain
	dRerouteQueueTo
	dRouteHosts
	dSparkPostHosts
	doubtCount
)

const (
	// settle is the command that prints the effective settings of a queue (guide 6.3.15).
	settle = "pmta show settings DOMAIN/VMTA, and look at the directive"
	// inject is the test for what happens to a message on its way in.
	inject = "send one message that the question is about to a test domain with smtp-hosts of a sink, and look at vmta and queue in the accounting file"
)

// doubts is the table: the first reading of each is the default.
var doubts = [doubtCount]Doubt{
	dDuplicateScope: {"duplicate-scope", "What do two scopes of the same tag and argument come to, or two macros that give the same domain?", []Reading{
		{"merge", "their lines add up, as if they stood in one scope", false},
		{"last", "the last one holds, the others count for nothing", false},
		{"first", "the first one holds, the others count for nothing", false},
	}, "3.3; 3.3.10", "pmta test config for an error, then " + settle, true},
	dDuplicateLine: {"duplicate-line", "Which line holds when a directive that is given once stands twice in one scope?", []Reading{
		{"last", "the last one", false},
		{"first", "the first one", false},
	}, "3.3", "pmta test config for an error, then " + settle, true},
	dNameCase: {"name-case", "Does case count in the names of VMTAs, pools, sources, lists and users?", []Reading{
		{"exact", "names that differ in case are different names", false},
		{"fold", "they are the same name", false},
	}, "3.3; 10.1.3.6", "select a VMTA by its name in other letters: X-Virtual-MTA: NAME; " + inject, true},
	dNameClash: {"name-clash", "What does a name stand for that both a VMTA and a pool have?", []Reading{
		{"vmta", "the VMTA; a pool of that name below it is refused", false},
		{"pool", "the pool", false},
	}, "3.3.13; 8.3", "pmta test config for an error; else " + inject, false},
	dMacroAgain: {"macro-again", "Which definition of a domain-macro holds when there are two?", []Reading{
		{"first", "the first one", false},
		{"last", "the last one", false},
	}, "3.3.1.33.4", settle, true},
	dMacroShadow: {"macro-shadow", "A domain is listed literally and by a macro: what becomes of the directives that only the macro's <domain> sets?", []Reading{
		{"merge", "they hold; the literal one wins directive by directive", false},
		{"replace", "they do not hold; the literal <domain> stands in place of the other", false},
	}, "3.3.10", settle, false},

	dLevel: {"level", "Does a general <domain> of a VMTA beat a more specific one of its pool or of the top level?", []Reading{
		{"level-first", "yes: VMTA before pool before top level, then the more specific pattern", false},
		{"pattern-first", "no: the more specific pattern, then VMTA before pool before top level", false},
	}, "3.3.10; 3.3.13.2; 8.3; 10.3.2", settle, false},
	dSuffixOrder: {"suffix-order", "Which is more specific, a longer name behind [*.] or a shorter one behind *.?", []Reading{
		{"length", "the longer name; with equal names *. comes before [*.]", false},
		{"form", "every *. comes before every [*.]; with equal forms the longer name", false},
	}, "3.3.10", settle, false},
	dStarReserved: {"star-reserved", "Does <domain *> reach reserved names such as {sparkpost}?", []Reading{
		{"yes", "yes, they inherit what it sets", false},
		{"no", "no, only a <domain> of their own counts", false},
	}, "3.3.10.99", "pmta show settings {sparkpost}/VMTA, and look at a directive that only <domain *> sets", false},
	dLocal: {"local", "Where does <domain local> stand for a domain that is a host-name?", []Reading{
		{"after-exact", "behind the <domain> of that name, before all wildcards", false},
		{"queue-only", "nowhere: it speaks of a queue called local", false},
	}, "7.3.1", "pmta show settings HOST-NAME, and look at a directive that only <domain local> sets", false},
	dEmptyValue: {"empty-value", `What does "" do in a directive for which the guide does not say?`, []Reading{
		{"clears", "it clears an inherited value, as it does where the guide says so", false},
		{"ignored", "the line counts for nothing", false},
	}, "3.3.10", settle, false},
	dListLines: {"list-lines", "Which lines hold of a directive whose repetition the guide leaves open, such as source-ip-max-smtp-out or remove-header?", []Reading{
		{"scope", "all lines of the most specific scope that has one", false},
		{"last", "the last line of that scope", false},
		{"all", "the lines of all scopes", false},
	}, "3.3.7.8; 3.3.10.76 to 3.3.10.83; 3.3.15", settle, false},
	dTwoPools: {"two-pools", "Which pool gives the directives beside <domain> to a VMTA that is in several?", []Reading{
		{"first", "the first pool", false},
		{"last", "the last pool", false},
	}, "3.3.13; 3.3.13.2", "pmta show settings DOMAIN/VMTA, and look at Virtual MTA Settings", false},
	dDefaultScope: {"default-scope", "Does <virtual-mta {default}> give settings to mail without a VMTA?", []Reading{
		{"used", "yes", false},
		{"ignored", "no, such mail has the top level alone", false},
	}, "3.3.11.5; 6.3.21", "pmta show settings DOMAIN/{default}", false},

	dListener: {"listener", "Which listener gives the named source when several networks hold the local address?", []Reading{
		{"narrowest", "the narrowest network", false},
		{"first", "the first in the file", false},
	}, "3.3.1.20; 8.4.3", inject, false},
	dUserListener: {"user-listener", "Which source wins, that of the listener or that of the authenticated user?", []Reading{
		{"user", "the user's", false},
		{"listener", "the listener's", false},
	}, "3.3.1.20; 3.3.8.4; 10.4.2", inject, false},
	dAuthUnder: {"auth-under-user", "Does <source {auth}> hold for a user that has a source of its own?", []Reading{
		{"no", "no, it is for users without", false},
		{"yes", "yes, for what the user's source does not set", false},
	}, "3.3.7; 10.4.2", inject, false},
	dSpecialSource: {"special-source", "Does what <source {pickup}> or <source {transmissions-api}> does not set come from <source 0/0>?", []Reading{
		{"no", "no, the defaults hold", false},
		{"yes", "yes", false},
	}, "3.3.7; 10.6.5; 10.19.1", inject, false},
	dLoopback: {"loopback", "May 127.0.0.1 relay when no source says so?", []Reading{
		{"yes", "yes, by default it alone may", false},
		{"no", "no, that is the work of the file that comes with the product", false},
	}, "2.3", "send from 127.0.0.1 with all <source 127.0.0.1> taken out", false},

	dAPISource: {"api-source", "Do pattern-list and default-virtual-mta hold for the submission API?", []Reading{
		{"no", "no, the table of precedence does not list them", false},
		{"yes", "yes, the API speaks SMTP", false},
	}, "7.1.1; 8.4", "submit through the API without setVirtualMta, and look at vmta in the accounting file", false},
	dPickupHeader: {"pickup-header", "Does X-Virtual-MTA count in a pickup file when <source {pickup}> has process-x-virtual-mta yes?", []Reading{
		{"yes", "yes", false},
		{"no", "no", false},
	}, "7.2; 8.4; 8.4.1; 10.6.5", "drop a file with the header, and look at vmta in the accounting file", false},
	dPickupDefault: {"pickup-default", "Does default-virtual-mta of <source {pickup}> count?", []Reading{
		{"yes", "yes", false},
		{"no", "no, the table of precedence does not list it", false},
	}, "8.4", "drop a file without header, and look at vmta in the accounting file", false},
	dHTTPSource: {"http-source", "Do pattern-list and default-virtual-mta of <source {transmissions-api}> count?", []Reading{
		{"yes", "yes, it is a source like others", false},
		{"no", "no", false},
	}, "8.4; 10.19.1", "post a transmission, and look at vmta in the accounting file", false},
	dHeaderRepeat: {"header-repeat", "Which header counts when a message has several of one name?", []Reading{
		{"each", "patterns look at each, X-Virtual-MTA is the first", false},
		{"first", "the first", false},
		{"last", "the last", false},
	}, "3.3.14.1; 3.3.7.48", inject, false},
	dHeaderEnd: {"header-end", "Is the line end of a header part of the value that a pattern sees?", []Reading{
		{"without", "no", false},
		{"with", "yes, CR LF stands at the end", false},
	}, "3.3.14.1", "a pattern that ends in $ against one that ends in \\r\\n$; " + inject, false},
	dPatternCase: {"pattern-case", "Do the letters of a pattern list's expressions stand for both cases?", []Reading{
		{"fold", "yes, as in SMTP pattern lists", false},
		{"exact", "no", false},
	}, "3.3.15; 10.8.1", inject, false},
	dPatternMatch: {"pattern-match", "Does an expression match that cannot be judged for certain without the product's PCRE?", []Reading{
		{"best-guess", "as in the set-up of PCRE that matches most; an expression without a Go equivalent does not match", false},
		{"opposite", "the other way round", false},
	}, "3.2; 3.3.15", "pcretest with the expression and the text; " + inject, false},
	dNested: {"nested-miss", "An entry matches, and nothing in its nested list does: what comes next?", []Reading{
		{"end", "nothing: the entry was the first match, and selects no VMTA", false},
		{"continue", "the entries behind it", false},
	}, "3.3.14.3; 8.4.2", inject, false},
	dCallMiss: {"call-miss", "An entry matches, and nothing in the list it calls does: what comes next?", []Reading{
		{"end", "nothing: the entry was the first match", false},
		{"continue", "the entries behind it", false},
	}, "3.3.14.4", inject, false},
	dCallBeside: {"call-beside", "An entry has virtual-mta beside call-to, and the list it calls selects one too: which holds?", []Reading{
		{"list", "that of the list", false},
		{"entry", "that of the entry", false},
	}, "3.3.14; 3.3.14.4", inject, false},
	dTopStar: {"top-star", "Does a * entry match that does not stand in a nested list?", []Reading{
		{"yes", "yes, it matches everything", false},
		{"no", "no, only nested lists may have one", false},
	}, "3.3.14.3; 8.4.2", "pmta test config for an error; else " + inject, false},
	dRcptOrder: {"rcpt-order", "Which rcpt-to entry decides for a message with several recipients?", []Reading{
		{"entries", "the first entry that any of the recipients matches", false},
		{"recipients", "that of the first recipient for which the list selects something", false},
	}, "3.3.14.3", inject, false},
	dByAddress: {"by-address", "Which VMTA does by-smtp-source-ip select when several have the local address?", []Reading{
		{"first", "the first in the file", false},
		{"last", "the last in the file", false},
	}, "3.3.7.29; 8.4.5", inject, false},
	dByAddressNet: {"by-address-net", "Does by-smtp-source-ip find a VMTA by a network in smtp-source-host?", []Reading{
		{"yes", "yes, if it holds the local address", false},
		{"no", "no, only by a single address", false},
	}, "3.3.7.29; 8.4.5", inject, false},
	dPoolAsVMTA: {"pool-as-vmta", "May invalid-virtual-mta-fallback and cold-virtual-mta name a pool?", []Reading{
		{"yes", "yes, its members take turns", false},
		{"no", "no, that is a VMTA that does not exist", false},
	}, "3.3.1.33.2; 3.3.12.4", "pmta test config for an error; else " + inject, false},

	dAliasOrder: {"alias-order", "Which alias holds when several fit the recipient?", []Reading{
		{"specific", "that of the address, then that of the local part, then that of the domain", false},
		{"first", "the first in the file", false},
	}, "12.9", inject, false},

	dRoundRobin: {"round-robin", "What takes turns among the lines of a pool?", []Reading{
		{"message", "each message, whatever its domain", false},
		{"queue", "the messages to each domain by themselves", false},
		{"connection", "each connection; shares of messages hold on average only", true},
	}, "3.3.13; 8.3", "30 messages to one domain through a pool of 9 to 1, and count vmta in the accounting file; then 10 to each of 3 domains", false},
	dRepeated: {"repeated-member", "Does a name that stands twice in a pool take two turns?", []Reading{
		{"weight", "yes, repeated lines are weights", false},
		{"once", "no, each name takes one", false},
	}, "3.3.13.1", "30 messages through a pool of nine lines of one VMTA and one of another, and count vmta: 27 to 3, or 15 to 15", false},
	dUnknownMember: {"unknown-member", "What happens to the turn of a pool's line whose VMTA is not defined?", []Reading{
		{"bounce", "the mail gets it and bounces with 5.3.5", false},
		{"skip", "the line is passed over", false},
	}, "3.3.13.1; 8.5.2", "pmta test config for an error; else " + inject, false},
	dPoolInPool: {"pool-in-pool", "What is a line of a pool that names a pool?", []Reading{
		{"unknown", "a VMTA that does not exist", false},
		{"expand", "the inner pool takes the turn and gives it to one of its lines", false},
	}, "3.3.13", "pmta test config for an error; else " + inject, false},
	dEmptyPool: {"empty-pool", "What happens to mail for a pool without lines?", []Reading{
		{"invalid", "what happens to mail for a VMTA that does not exist", false},
		{"default", "it goes out without a VMTA, by {default}", false},
	}, "3.3.13", "pmta test config for an error; else " + inject, false},

	dQueueChain: {"queue-to-chain", "Is a queue-to followed that holds for the target of another queue-to?", []Reading{
		{"once", "no, the first target is the queue", false},
		{"follow", "yes, until one has none or names itself or one that was passed", false},
	}, "3.3.10.31; 10.7.1; 10.9.1", inject, false},
	dRollupWild: {"rollup-wildcard", "Must all MX hosts of the lowest preference match a wildcard of <mx-rollup-list>, or any?", []Reading{
		{"all", "all", false},
		{"any", "one is enough", false},
	}, "10.17", "a test domain with two MX of equal preference, one of which matches; look at queue in the accounting file", false},
	dRollupQueueTo: {"rollup-queue-to", "Is a queue rolled up by its MX that queue-to or smtp-hosts has decided on?", []Reading{
		{"no", "no", false},
		{"yes", "yes", false},
	}, "10.17", inject, false},
	dColdChain: {"cold-chain", "Does a cold VMTA pass mail on to a cold VMTA of its own?", []Reading{
		{"no", "no", false},
		{"yes", "yes, within the limit that holds for its queue", false},
	}, "3.3.12.4; 10.7.1", inject, false},
	dColdDay: {"cold-day", "When does the count of days start that max-cold-virtual-mta-msg goes by?", []Reading{
		{"given", "as the caller says: the answer holds for the day in State", false},
		{"server", "on a day that the server keeps", true},
	}, "10.7.1", "count vmta in the accounting file for some days after a new limit", false},
	dReroute: {"reroute-order", "Is reroute-to-virtual-mta looked up for the recipient's domain or for the queue that queue-to made of it?", []Reading{
		{"queue", "for the queue, which the mail is in by then", false},
		{"domain", "for the domain, before queue-to", false},
	}, "3.3.10.49; 10.3.2", inject, false},
	dRerouteChain: {"reroute-chain", "Is reroute-to-virtual-mta of the target VMTA followed?", []Reading{
		{"follow", "yes, as with backoff-reroute-to-virtual-mta; a circle ends in its last queue", false},
		{"once", "no", false},
	}, "3.3.10.49; 3.3.10.50", inject, false},
	dRerouteQueueTo: {"reroute-queue-to", "Does queue-to of the VMTA that mail is rerouted to hold for that mail?", []Reading{
		{"yes", "yes, the target's settings apply", false},
		{"no", "no, the mail keeps its queue's domain", false},
	}, "10.3.2; 10.9.1", inject, false},
	dRouteHosts: {"route-hosts", "Which holds when both smtp-hosts and route are set?", []Reading{
		{"smtp-hosts", "smtp-hosts", false},
		{"route", "route", false},
	}, "3.3.10.87; 3.3.10.89", settle, false},
	dSparkPostHosts: {"sparkpost-hosts", "Does smtp-hosts change where {sparkpost} connects to?", []Reading{
		{"yes", "yes", false},
		{"no", "no, the host is built in", false},
	}, "3.3.10.99", "pmta trace {sparkpost}/VMTA, and look at the host that it connects to", false},
}
