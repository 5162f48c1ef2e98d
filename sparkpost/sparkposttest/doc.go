// Package sparkposttest is an in-memory SparkPost API for tests and demonstrations.
//
// A [Server] listens on the loopback address with TLS, as clients insist on https, and keeps its account in memory. It follows the
// public API where that is documented; where the documentation is silent, the choice made here is named in the comment of the code.
//
//   - It carries subaccounts, sending domains with verification and additional DKIM keys, tracking domains with managed certificates, IP
//     pools, sending IPs and event webhooks, the account with its options, alerts and API keys, and
//     suppression lists.
//   - API keys that it made have grants, which are enforced, and can be rotated.
//   - Webhooks are tested at creation, and post the events that [Server.AddEvents] stores when [Server.PostBatches] is called, with the
//     retries that are due by Config.Now. Nothing is sent outside of the machine.
//   - Events search finds what [Server.AddEvents] stored in the last ten days by Config.Now, from the newest on,
//     and metrics count them by the definitions of the reference. [Server.AddMail] stores the events of many messages at once.
//   - X-MSYS-SUBACCOUNT has the documented meaning: a list without it spans all owners, a write without it addresses the primary account.
//   - It is strict where the API is silent: an unknown route, method, query parameter or JSON member, a member in the wrong case, a
//     subaccount header where it is ignored, and DKIM keys in a doubtful form are answered as the API would and noted in
//     [Server.Problems].
//   - A DKIM private key has to match its public key. It is checked and forgotten.
//   - Lists that have pages have small ones.
//   - Faults are scripted: statuses, HTML pages, Retry-After, cut bodies, connections closed before or after the request took effect.
//   - Requests are recorded without keys.
//   - The same Config and the same requests give the same ids, keys and answers.
//
// In a test:
//
//	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
//	client, err := sparkpost.New(sparkpost.Config{
//		URL:  srv.URL(),
//		Key:  sparkpost.StaticKey("any"),
//		Base: srv.Transport(),
//	})
//
// In a program, leave TB out and call [Server.Close]. It is no sandbox for capacity: everything runs under one lock.
package sparkposttest
