package sparkpost_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func ExampleSuppressions() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	list := client.Primary().Suppressions
	for _, t := range []sparkpost.SuppressionType{sparkpost.Transactional, sparkpost.NonTransactional} { // no mail at all takes two entries
		if err := list.Put(ctx, sparkpost.Suppression{Recipient: "a@dest.example", Type: t}); err != nil {
			log.Fatal(err)
		}
	}
	if err := list.Delete(ctx, "a@dest.example", sparkpost.SuppressionChoice{Type: sparkpost.Transactional}); err != nil {
		log.Fatal(err)
	}
	for e, err := range list.All(ctx, sparkpost.SuppressionFilter{Domain: "dest.example"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Recipient, e.Type, e.Source)
	}
	// Output: a@dest.example non_transactional Manually Added
}

// Unsubscribes from PowerMTA go into the list of the subaccount that will mail them. An import that was cut off is resumed.
func ExampleSuppressions_Import() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	file := "recipient,description\na@dest.example,left\nb@@dest.example,left\nc@dest.example,left\nd@dest.example,left\n"
	list := client.Primary().Suppressions
	options := &sparkpost.ImportOptions{
		Type:  sparkpost.NonTransactional, // for rows that name none
		Chunk: 3,
		Bad: func(e *sparkpost.RowError) error {
			fmt.Println("left out: row", e.Row, e.Recipient)
			return nil
		},
	}
	srv.Inject(sparkposttest.Fault{Method: "PUT", Nth: 3, Status: 500})
	report, err := list.Import(ctx, sparkpost.ReadSuppressions(strings.NewReader(file), sparkpost.SuppressionCSV), options)
	fmt.Println(report)
	fmt.Println(err)

	options.Skip = report.Done
	report, err = list.Import(ctx, sparkpost.ReadSuppressions(strings.NewReader(file), sparkpost.SuppressionCSV), options)
	fmt.Println(report, err)
	// Output:
	// left out: row 2 b@@dest.example
	// rows 1 to 3 done (2 stored, 1 left out), rows 4 to 4 in doubt
	// sparkpost: put suppressions: PUT /suppression-list: 500 Internal Server Error: empty answer (the request may have been carried out)
	// rows 1 to 4 done (1 stored, 0 left out) <nil>
}

func ExampleWriteSuppressions() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	srv.Suppress(0, "a@dest.example", "transactional", sparkpost.SourceBounceRule)
	list := client.Primary().Suppressions
	if err := list.Put(ctx, sparkpost.Suppression{Recipient: "b@dest.example", Type: sparkpost.NonTransactional, Description: "wrote, rang"}); err != nil {
		log.Fatal(err)
	}
	seq := func(yield func(*sparkpost.Suppression, error) bool) {
		for e, err := range list.All(ctx, sparkpost.SuppressionFilter{}) {
			if e != nil {
				e.Created, e.Updated = "", "" // which differ with every run
			}
			if !yield(e, err) {
				return
			}
		}
	}
	n, err := sparkpost.WriteSuppressions(os.Stdout, sparkpost.SuppressionCSV, seq, nil)
	fmt.Println(n, err)
	// Output:
	// recipient,type,description,list_id,source,created,updated,subaccount_id
	// a@dest.example,transactional,,,Bounce Rule,,,
	// b@dest.example,non_transactional,"wrote, rang",,Manually Added,,,
	// 2 <nil>
}
