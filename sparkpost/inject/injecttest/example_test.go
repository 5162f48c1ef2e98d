package injecttest_test

import (
	"crypto/tls"
	"fmt"
	"log"
	"net/smtp"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

func Example() {
	sink, err := injecttest.Listen(injecttest.Config{
		SparkPost: true,
		Accounts:  []injecttest.Account{{Password: "0123456789abcdef"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()
	sink.Inject(injecttest.Fault{At: injecttest.AtRcpt, Match: "gone@", Reply: "550 5.1.1 no such user"})

	c, err := smtp.Dial(sink.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{RootCAs: sink.Roots(), ServerName: "127.0.0.1"}); err != nil {
		log.Fatal(err)
	}
	if err := c.Auth(smtp.PlainAuth("", "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", "0123456789abcdef", "127.0.0.1")); err != nil {
		log.Fatal(err)
	}
	c.Mail("news@shop.example")
	fmt.Println(c.Rcpt("gone@mail.example"))
	c.Rcpt("bob@mail.example")
	w, _ := c.Data()
	fmt.Fprint(w, "From: news@shop.example\r\nSubject: hello\r\n\r\nHello!\r\n")
	w.Close()

	for _, m := range sink.Messages() {
		fmt.Println(m.From, m.To, "subaccount", m.Auth.Subaccount, "with", m.TLS.Version)
	}
	// Output:
	// 550 "5.1.1 no such user"
	// news@shop.example [bob@mail.example] subaccount 1053 with TLS 1.3
}
