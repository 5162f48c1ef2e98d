package inject_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

func ExampleSend() {
	sink, err := injecttest.Listen(injecttest.Config{SparkPost: true, Accounts: []injecttest.Account{{Password: "key-of-the-account"}}})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()

	user, err := inject.UserName(1053)
	if err != nil {
		log.Fatal(err)
	}
	server := &inject.Server{
		Addr:  sink.Addr(),
		Hello: "mta.shop.example",
		TLS:   inject.TLS{ServerName: "sink.example", Roots: sink.Roots()},
		Auth:  &inject.Auth{User: user, Password: "key-of-the-account", Mechanism: "LOGIN"},
	}
	result, err := inject.Send(context.Background(), server, &inject.Message{
		From: "news@shop.example",
		To:   []string{"me@mail.example"},
		API:  &inject.API{CampaignID: "relay-test", Options: &inject.APIOptions{OpenTracking: new(false)}},
		Text: "Does it arrive?\n",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range result.Transcript {
		if e.TLS && !strings.Contains(e.Text, ": <") && !strings.HasPrefix(e.Text, "Date:") { // what differs from run to run
			fmt.Println(strings.TrimRight(e.String(), " "))
		}
	}
	fmt.Println(result.Exit, result.TLS.Verified)
	// Output:
	//  ~> EHLO mta.shop.example
	// <~  250-Hello mta.shop.example
	// <~  250-PIPELINING
	// <~  250-8BITMIME
	// <~  250-ENHANCEDSTATUSCODES
	// <~  250 AUTH PLAIN LOGIN
	//  ~> AUTH LOGIN
	// <~  334 VXNlcm5hbWU6
	//  ~> U01UUF9JbmplY3Rpb246WC1NU1lTLVNVQkFDQ09VTlQ9MTA1Mw==
	// <~  334 UGFzc3dvcmQ6
	//  ~> [hidden]
	// <~  235 2.0.0 Authentication succeeded
	//  ~> MAIL FROM:<news@shop.example>
	// <~  250 2.0.0 Roger, accepting mail from <news@shop.example>
	//  ~> RCPT TO:<me@mail.example>
	// <~  250 2.0.0 I'll make sure <me@mail.example> gets this
	//  ~> DATA
	// <~  354 Go ahead. End your data with <CR><LF>.<CR><LF>
	//  ~> From: news@shop.example
	//  ~> To: me@mail.example
	//  ~> Subject: Test message
	//  ~> X-MSYS-API: {"campaign_id":"relay-test","options":{"open_tracking":false}}
	//  ~> Mime-Version: 1.0
	//  ~> Content-Transfer-Encoding: 7bit
	//  ~> Content-Type: text/plain; charset=utf-8
	//  ~>
	//  ~> Does it arrive?
	//  ~> .
	// <~  250 2.0.0 OK 01/00-00001-00000001
	//  ~> QUIT
	// <~  221 2.0.0 Bye
	// no error true
}

// A server whose certificate is for another name gets no password.
func ExampleSend_wrongName() {
	sink, err := injecttest.Listen(injecttest.Config{Certificate: injecttest.WrongName, Accounts: []injecttest.Account{{User: "u", Password: "wonderland"}}})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()
	server := &inject.Server{
		Addr: sink.Addr(),
		TLS:  inject.TLS{ServerName: "smtp.shop.example", Roots: sink.Roots()},
		Auth: &inject.Auth{User: "u", Password: "wonderland"},
	}
	result, err := inject.Send(context.Background(), server, &inject.Message{From: "a@shop.example", To: []string{"b@mail.example"}})
	fmt.Println(err)
	fmt.Println(int(result.Exit), result.Exit)
	// Output:
	// inject: TLS: the certificate is for wrong.example, not for smtp.shop.example
	// 29 TLS
}

func ExampleUserName() {
	name, err := inject.UserName(1053)
	fmt.Println(name, err)
	_, err = inject.ParseUserName("smtp_injection")
	fmt.Println(errors.Is(err, inject.ErrInvalid))
	// Output:
	// SMTP_Injection:X-MSYS-SUBACCOUNT=1053 <nil>
	// true
}
