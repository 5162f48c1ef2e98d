package sparkpost_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/events"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// The bounces of one stream, decoded by package events.
func ExampleEvents_Search() {
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv, client := start(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	for i := range 3 {
		err := srv.AddEvents(sparkposttest.Event{"type": "bounce", "timestamp": now.Add(time.Duration(i-10) * time.Minute), "subaccount_id": 101,
			"rcpt_to": fmt.Sprintf("user%d@dest.example", i), "bounce_class": "10", "error_code": "550"})
		if err != nil {
			log.Fatal(err)
		}
	}
	query := sparkpost.EventQuery{From: now.Add(-time.Hour), To: now, Types: []string{"bounce"}, Subaccounts: []int{101}}
	for raw, err := range client.Events.Search(context.Background(), query) {
		if err != nil {
			log.Fatal(err)
		}
		list, err := events.Decode(raw, nil)
		if err != nil {
			log.Fatal(err)
		}
		for _, e := range list {
			fmt.Println(e.Type, e.Text("rcpt_to"), e.Text("error_code"))
		}
	}
	// Output:
	// bounce user2@dest.example 550
	// bounce user1@dest.example 550
	// bounce user0@dest.example 550
}

// A search that goes on where it was stopped, as a program does after a restart.
func ExampleEvents_Pages() {
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv, client := start(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	for i := range 5 {
		if err := srv.AddEvents(sparkposttest.Event{"type": "delivery", "timestamp": now.Add(time.Duration(i-10) * time.Minute)}); err != nil {
			log.Fatal(err)
		}
	}
	query := sparkpost.EventQuery{From: now.Add(-time.Hour), To: now}
	for query.Cursor != "" || query.PerPage == 0 {
		for page, err := range client.Events.Pages(context.Background(), query) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(len(page.Events), "of", page.Total, "more:", page.Next != "")
			query.Cursor, query.PerPage = page.Next, 1000 // to be kept where a restart finds it
			break
		}
	}
	// Output:
	// 2 of 5 more: true
	// 2 of 5 more: true
	// 1 of 5 more: false
}
