package acct_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

const spread = `type,timeLogged,rcpt,vmta,vmtaPool,dsnDiag
d,2026-03-02 21:54:05+0000,ann@a.example,mta1,offers,"smtp;250 ok, queued as ""7F"""
d,2026-03-02 21:54:06+0000,bob@b.example,sparkpost-offers,offers,smtp;250 ok
b,2026-03-02 22:10:00+0000,cat@a.example,mta1,offers,smtp;550 no such user
`

func ExampleReader() {
	for rec, err := range acct.NewReader(strings.NewReader(spread), "acct.csv", nil).All() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		at, _ := rec.Time("timeLogged")
		fmt.Println(rec.Type(), at.Format(time.TimeOnly), string(rec.Get("vmta")), string(rec.Get("dsnDiag")))
	}
	// Output:
	// d 21:54:05 mta1 smtp;250 ok, queued as "7F"
	// d 21:54:06 sparkpost-offers smtp;250 ok
	// b 22:10:00 mta1 smtp;550 no such user
}

// A damaged line is reported with its bytes, and the reading goes on.
func ExampleReader_Next() {
	const damaged = "type,vmta\nd,mta1\nd,mta1,\"d\nd,mta2\nd,m\"\nd,mta3\nd,mt"
	for rec, err := range acct.NewReader(strings.NewReader(damaged), "acct.csv", nil).All() {
		if bad := (*acct.Error)(nil); errors.As(err, &bad) {
			fmt.Printf("%v: %s: %q\n", bad, bad.Kind, bad.Raw)
			continue
		}
		fmt.Printf("%s\n", rec.Get("vmta"))
	}
	// Output:
	// mta1
	// acct.csv:3: the record does not have as many fields as its header line: fields: "d,mta1,\"d\nd,mta2\nd,m\"\n"
	// mta3
	// acct.csv:7: the last line has no end: the record may be half written: unfinished: "d,mt"
}

func ExampleCounter() {
	count, err := acct.NewCounter(0, acct.ByVMTA, acct.ByHour)
	if err != nil {
		fmt.Println(err)
		return
	}
	for rec, err := range acct.NewReader(strings.NewReader(spread), "acct.csv", nil).All() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		count.Add(rec)
	}
	for _, row := range count.Rows() {
		fmt.Println(row.Key, row.Types[acct.Delivery], row.Types[acct.Bounce])
	}
	fmt.Println("others:", count.Others().Records)
	// Output:
	// [mta1 2026-03-02T21] 1 0
	// [mta1 2026-03-02T22] 0 1
	// [sparkpost-offers 2026-03-02T21] 1 0
	// others: 0
}

func ExampleWriter() {
	h, err := acct.NewHeader("type", "timeLogged", "rcpt", "dsnDiag")
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	w := acct.NewWriter(&out, h)
	err = w.WriteValues(map[string]string{
		"type":       string(acct.Delivery),
		"timeLogged": acct.FormatTime(time.Date(2026, 3, 2, 21, 54, 5, 0, time.UTC)),
		"rcpt":       "ann@a.example",
		"dsnDiag":    `smtp;250 ok, queued as "7F"`,
	})
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(out.String(), "\r", ""))
	// Output:
	// type,timeLogged,rcpt,dsnDiag
	// d,2026-03-02 21:54:05+0000,ann@a.example,"smtp;250 ok, queued as ""7F"""
}

// Records of several files go into one, under the columns of all.
func ExampleWriter_Write() {
	const older, newer = "type,vmta\nd,mta1\n", "type,jobId,vmta\nd,spring,mta2\n"
	h, err := acct.NewHeader("type", "vmta", "jobId")
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	w := acct.NewWriter(&out, h)
	for _, file := range []string{older, newer} {
		for rec, err := range acct.NewReader(strings.NewReader(file), "", nil).All() {
			if err == nil {
				err = w.Write(rec)
			}
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	if err := w.Flush(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(out.String(), "\r", ""))
	// Output:
	// type,vmta,jobId
	// d,mta1,
	// d,mta2,spring
}

var logs = fstest.MapFS{
	"log/acct-2026-03-01-0000.csv": {Data: []byte("type,vmta\nd,first\n")},
	"log/acct-2026-03-02-0000.csv": {Data: []byte("type,vmta\nd,second\n")},
	"log/acct-2026-03-02-0001.csv": {Data: []byte("type,vmta\nd,third\n")},
	"log/bounces.csv":              {Data: []byte("type,vmta\nb,elsewhere\n")},
}

func ExampleFiles() {
	names, err := acct.Rotated(logs, "log/acct.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	for rec, err := range acct.Files(context.Background(), logs, names, nil) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(rec.Pos().File, string(rec.Get("vmta")))
	}
	// Output:
	// log/acct-2026-03-01-0000.csv first
	// log/acct-2026-03-02-0000.csv second
	// log/acct-2026-03-02-0001.csv third
}

// A program that was stopped goes on behind the last record it had dealt with.
func ExampleFollow() {
	ticks := make(chan time.Time)
	close(ticks) // so that this example ends; a program takes a time.Ticker's channel
	var done acct.Pos
	for rec, err := range acct.Follow(context.Background(), logs, "log/acct.csv", ticks, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		done = rec.End()
		break
	}
	for rec, err := range acct.Follow(context.Background(), logs, "log/acct.csv", ticks, &acct.Options{Start: done}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(rec.Get("vmta")))
	}
	// Output:
	// second
	// third
}

func ExampleTypes() {
	for _, t := range acct.Types() {
		fmt.Println(t.Type, t.Names[0], t.Events)
	}
	// Output:
	// d delivery [delivery]
	// b bounce [bounce policy_rejection generation_failure generation_rejection]
	// t transient [delay]
	// tq transient-queue []
	// r receipt [injection]
	// rb remote-bounce [out_of_band]
	// rs remote-status []
	// f feedback-loop [spam_complaint]
}

func ExampleColumns() {
	fmt.Println(acct.Columns(acct.TransientQueue))
	// Output: [type timeLogged dsnStatus dsnDiag dsnMta dlvType dlvSourceIp dlvDestinationIp vmta queue userString]
}
