// Package inject sends test mail to SparkPost's relay, to PowerMTA or to any other SMTP server, and shows what was said. It does what swaks
// is used for, as a library.
//
//   - [Send] injects one [Message] and gives back the [Transcript], the TLS report, and the exit code that swaks would have.
//   - [SendMany] injects it many times over several connections, at a rate, and reports latencies and errors by class.
//   - [CheckTLS] looks at a server's TLS, and [ParseTrace] reads what PowerMTA's "pmta trace" saw of it.
//   - [AuditMessage] looks at a message that was received: signatures, bounce domain, tracking, hops; each against what is expected.
//   - [UserName] and [ParseUserName] are for the user names with a subaccount; [API] is the X-MSYS-API field.
//
// Guarantees, each held by a test:
//
//   - Credentials go out only over TLS 1.2 or later with a certificate that was verified for the server's name, unless [Auth.Insecure] says
//     otherwise. A server without STARTTLS, because it has none or because somebody on the way took the offer out, or with a certificate
//     that does not verify, is refused before that.
//   - The password and the forms that SMTP gives it are in no transcript, error, log, JSON or printed value, also when the server repeats
//     them. (A password of less than four bytes is only hidden where it was sent.)
//   - Nothing in a [Message] can smuggle in a command, a parameter or a header field.
//   - What arrives is what was given: line ends, dots and long lines included, however the server cuts its replies into packets.
//   - A message is in doubt exactly when its end was sent and no answer came; the error is then of the kind [ErrUncertain]. In every other
//     case it is known whether the server accepted it.
//   - In a [Report] each message asked for is counted once, as accepted, failed, uncertain or unsent, and nothing is tried twice.
//   - Each wait ends: by [Server.Timeout] for each command, and at once with the context.
//   - A signature in an [Audit] is valid exactly when github.com/emersion/go-msgauth verifies it, and each expectation has one [Check].
//   - No answer of a server, of whatever size or content, makes the package panic, wait for ever, or use more than bounded memory.
//
// The protocol is that of github.com/emersion/go-smtp; the comments of the code name what had to be added to it. There is no pipelining,
// but in a load, where RCPT goes out along with MAIL to a server that offers it.
//
// A program that tries the relay with a subaccount:
//
//	func main() {
//		user, err := inject.UserName(1053)
//		if err != nil {
//			log.Fatal(err)
//		}
//		server := &inject.Server{
//			Addr: "smtp.sparkpostmail.com:587",
//			Auth: &inject.Auth{User: user, Password: os.Getenv("SPARKPOST_API_KEY")},
//		}
//		result, err := inject.Send(context.Background(), server, &inject.Message{
//			From: "news@shop.example",
//			To:   []string{"me@mail.example"},
//			API:  &inject.API{CampaignID: "relay-test"},
//			Text: "Does it arrive?\n",
//		})
//		fmt.Print(result.Transcript)
//		if err != nil {
//			log.Print(err)
//		}
//		os.Exit(int(result.Exit))
//	}
package inject
