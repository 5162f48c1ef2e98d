// Package relayshift is the root of a library for teams that run PowerMTA (PMTA) and move mail streams to SparkPost step by step: a
// VMTA pool shares its mail between direct delivery and a relay to SparkPost, and the share grows day by day while new IPs warm up.
// The root holds this text alone; import the packages below it.
//
// # How the packages meet
//
//	question                                             package
//	what does the configuration say, line by line        pmtaconf
//	which directives exist, and is this value one        pmtaconf/schema
//	what is wrong with the configuration                 pmtaconf/check
//	where does a message go, and under which settings    pmtaconf/routing
//	which streams are there; put a relay in, take it out pmtaconf/relay
//	what did the server do with its mail                 pmtaconf/acct
//	how many virtual-mta lines make 10 %, in what order  split
//	which share on which day                             warmup
//	which DKIM keys sign, and how do they move           dkim
//	what must exist at SparkPost; plan it, apply it      sparkpost
//	what became of the mail at SparkPost                 sparkpost/events
//	does a message get through, and what arrived         sparkpost/inject
//	a SparkPost to rehearse and test against             sparkpost/sparkposttest
//	an SMTP sink and a relay to test against             sparkpost/inject/injecttest
//
// The five packages do not import one another: each can be used alone, and they meet in types of the standard library. pmtaconf gives a
// pool's members as a []string; split turns them with a share, a *big.Rat, into another []string; pmtaconf/relay sets that as the
// pool's lines. dkim reads the files that domain-key lines name and gives the two strings that sparkpost sends. warmup asks for
// the share that a pool can express through a function, which split answers.
//
// # One run from end to end
//
// The program examples/migrate does all of it: it loads a configuration, lists the streams, plans resources, keys, lines and the
// ramp, and writes the new configuration with a diff, an archive of the old one, a picture and the plan. It needs no set-up:
//
//	go run github.com/relayshift/relayshift/examples/migrate
//
// The program examples/walkthrough takes the tests that belong to a move, on one machine: messages sent directly and through a relay that
// routes by pmtaconf/routing, the accounting file it writes, the spread, and the events joined with the records.
//
// # What holds everywhere
//
// Nothing is guessed silently: where the PowerMTA guide is silent, what was assumed is reported. Nothing is lost: a file that is read and
// written is the same byte for byte, apart from the lines that were edited. No password, API key or private key appears in a
// diagnostic, an error, a log or a diff that was not asked to show it. Each package states its own guarantees and has tests that hold them.
package relayshift
