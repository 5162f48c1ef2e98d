package sparkpost_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// After the records were published, SparkPost is asked until it has found them or the time is up.
func ExampleAwait() {
	published := false
	srv, client := start(sparkposttest.Config{LookupCNAME: func(string) (string, error) {
		if !published {
			return "", errors.New("no such host")
		}
		return "sparkpostmail.com", nil
	}})
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "bounce.shop.example", VerifyCNAME: true}}}
	if _, err := client.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "bounce.shop.example", NoKey: true}); err != nil {
		log.Fatal(err)
	}
	_, err := sparkpost.Await(ctx, client, want, &sparkpost.AwaitOptions{
		Interval: time.Millisecond,
		Progress: func(round int, checks []sparkpost.Check) {
			fmt.Println(round, checks[0])
			published = true
		},
	})
	fmt.Println(err)
	// Output:
	// 1 sending_domain bounce.shop.example: cname invalid (no CNAME record found)
	// 2 sending_domain bounce.shop.example: cname valid
	// <nil>
}

// A plan shows what has to be published, as a table and as lines of a zone file.
func ExampleRecords() {
	want, err := sparkpost.ParseState([]byte(`{
		"region": "EU",
		"tracking_domains": [{"domain": "click.shop.example", "verify": true, "managed_certificate": true}],
		"sending_domains": [{"domain": "bounce.shop.example", "verify_cname": true}]
	}`))
	if err != nil {
		log.Fatal(err)
	}
	changes, err := sparkpost.Plan(&sparkpost.State{}, want)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(changes.Records)
	fmt.Print(changes.Records.Zone())
	// Output:
	// NAME                 TYPE   IN DNS  FOR                                 VALUE
	// click.shop.example   CNAME  no      tracking domain click.shop.example  eu.v2.spgo.io
	// bounce.shop.example  CNAME  no      bounce domain bounce.shop.example   eu.sparkpostmail.com
	// click.shop.example. IN CNAME eu.v2.spgo.io.
	// bounce.shop.example. IN CNAME eu.sparkpostmail.com.
}

// A misspelt member is found with its place, before anything is asked or changed.
func ExampleParseState() {
	_, err := sparkpost.ParseState([]byte("{\n  \"subaccounts\": [{\"name\": \"vmta-promo\", \"pool\": \"promo\"}]\n}"))
	fmt.Println(err)
	var e *sparkpost.StateError
	fmt.Println(errors.As(err, &e), e.Line, e.Path)
	// Output:
	// sparkpost: state: line 2, column 48: subaccounts.pool: there is no such member
	// true 2 subaccounts.pool
}

// The journal of an apply whose program was killed names the requests of which nobody knows whether they were carried out.
func ExampleReadJournal() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	changes, err := sparkpost.Plan(&sparkpost.State{}, &sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta-promo"}}})
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer // a file opened with os.O_APPEND
	if _, err := sparkpost.Apply(context.Background(), client, changes, &sparkpost.ApplyOptions{Journal: &file}); err != nil {
		log.Fatal(err)
	}
	lines := bytes.SplitAfter(file.Bytes(), []byte("\n"))
	cut := bytes.Join(lines[:5], nil) // the program was killed here
	journal, err := sparkpost.ReadJournal(bytes.NewReader(cut))
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range sparkpost.OpenRequests(journal) {
		fmt.Println(e.Op, e.Kind, e.Key+":", e.Method, e.Path)
	}
	// Output: create subaccount vmta-promo: POST /subaccounts
}
