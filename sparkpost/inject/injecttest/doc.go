// Package injecttest is an SMTP sink in the process, for tests and demonstrations: it takes mail as SparkPost's relay or a PowerMTA
// listener would, keeps what it got as values, and fails in the ways that it is told to.
//
//   - A [Sink] listens on a loopback address, and on no other unless [Config.Public] says so.
//   - STARTTLS and implicit TLS come with a throw-away authority. [Sink.Roots] trusts it; [Config.Certificate] makes the certificate bad in a
//     chosen way.
//   - AUTH PLAIN and AUTH LOGIN are checked against [Config.Accounts], with SparkPost's rules for user names when [Config.SparkPost] is set.
//   - Faults are scripted with [Sink.Inject]: a reply in place of the right one, delays, a closed or reset connection, before or after the
//     command took effect, at any command, in the middle of a message or at its end.
//   - A message is kept exactly when its data ended as the protocol says and no fault, check or handler refused it. What the client was told
//     may differ only where a fault with AfterEffect spoilt the answer.
//   - Memory is bounded: [Config.Keep] messages and sessions are kept, and a message that nobody keeps or handles is counted as it streams by.
//   - A [Relay] takes mail as a sink does and passes it on to sinks, where the caller's function says, and reports what became of each
//     recipient: accepted once, then delivered or bounced once, unless it waits in the queue. It delivers to loopback addresses only,
//     unless [RelayConfig.Public] says otherwise.
//   - Passwords are in nothing that the package gives out.
//
// In a test:
//
//	sink := injecttest.Start(t, injecttest.Config{
//		Accounts: []injecttest.Account{{User: "customer", Password: "secret"}},
//	})
//	// send to sink.Addr(), trusting sink.Roots()
//	for _, m := range sink.Messages() {
//		fmt.Println(m.From, m.To, m.TLS.Version)
//	}
//
// In a program, call [Listen] and [Sink.Close].
//
// The protocol is that of github.com/emersion/go-smtp; BDAT is not offered. Like that server, the sink does not see the end of a message
// whose last line ends in CR CR LF: the connection is closed at [Config.Timeout], and the message is not kept. Where the documentation
// of SparkPost is silent, the choice made here is named in the comment of the code.
package injecttest
