// Package sparkpost manages what a move of mail streams to SparkPost needs there: subaccounts, sending domains with their own DKIM keys,
// bounce and tracking domains, IP pools, sending IPs and event webhooks. It reads what is there, plans the way to what is wanted, and goes
// it; plans do not cover webhooks, account options, alerts and API keys, which have calls of their own. It searches events and
// gives reports.
//
// It works on github.com/SparkPost/gosparkpost and adds what that client lacks. The guarantees:
//
//   - [Plan] is pure. What it proposes is data that can be shown, stored and compared.
//   - After an [Apply] without error, [Read] and [Plan] give no changes; what only waits, for DNS as a rule, is called that.
//   - Reading takes one list for each kind of resource, and one request for each domain whose keys matter. Applying takes one list for
//     each kind that changes, one request for each change, and one for each existing domain whose keys change.
//   - An apply that is cut off at any request, with that request carried out or not, may be run again: it ends in the same state, and
//     nothing is made twice.
//   - Changes are made several at a time, each after those it depends on, under the one limiter of [Config]. A 429 makes every caller of
//     the client pause, for as long as the server asks; none runs into it again meanwhile.
//   - With [ApplyOptions].Journal, a line stands in the journal before each request goes out. What was under way when a program was killed
//     can be read from it with [OpenRequests].
//   - [Await] has what was asked to be verified checked until it is, and says what SparkPost and DNS answered. A check that is valid is
//     not run again.
//   - Nothing is deleted unless [State.Remove] names it. Nothing is guessed: a name that fits several subaccounts is reported, and so is
//     a domain that belongs to another owner.
//   - A request is repeated only where that is safe: after 429; after 502, 503, 504 or a broken connection when the request is
//     idempotent; a creation only when it is certain that no byte of it was sent. Otherwise the error is of the kind [ErrUncertain].
//   - The subaccount header goes out only where it has a meaning. [Client.Primary], [Client.Subaccount] and [Client.Everyone] are types
//     that offer no more than the API does for that scope.
//   - nil means "as it is" in every update, and a pointer to the zero value clears.
//   - No API key, no private key and no credential of a webhook is in any string, log value, JSON or error. Keys that a server echoes are
//     removed.
//   - An import of suppressions says exactly which rows arrived; resumed as often as needed it ends as an undisturbed one does. Imports and
//     exports take memory for one request, whatever the number of rows.
//   - What has no public reference is reached through [Client.Undocumented] only, and a server that lacks it is told by [ErrUnsupported].
//   - API failures are an [*Error]; its kinds work with errors.Is for every shape of answer, JSON or not.
//
// A complete program:
//
//	func main() {
//		ctx := context.Background()
//		client, err := sparkpost.New(sparkpost.Config{
//			Region: sparkpost.EU,
//			Key:    sparkpost.StaticKey(os.Getenv("SPARKPOST_API_KEY")),
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		want := &sparkpost.State{
//			Pools:       []sparkpost.PoolSpec{{Name: "promo"}},
//			Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta-promo", IPPool: new("promo")}},
//			Domains: []sparkpost.DomainSpec{{
//				Name: "news.shop.example", Owner: "vmta-promo", VerifyDKIM: true,
//				DKIM: &sparkpost.DKIMKey{Selector: "pmta2024", File: "news.pem"},
//			}},
//		}
//		if err := want.LoadKeys(os.ReadFile); err != nil {
//			log.Fatal(err)
//		}
//		have, err := sparkpost.Read(ctx, client, want)
//		if err != nil {
//			log.Fatal(err)
//		}
//		changes, err := sparkpost.Plan(have, want)
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Print(changes)
//		if _, err := sparkpost.Apply(ctx, client, changes, nil); err != nil {
//			log.Fatal(err)
//		}
//	}
package sparkpost
