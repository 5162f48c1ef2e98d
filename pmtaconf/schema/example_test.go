package schema_test

import (
	"errors"
	"fmt"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func ExampleLookup() {
	d, ok := schema.Lookup("Backoff-Max-Msg-Rate", "domain")
	fmt.Println(ok, d.Name, d.Type)
	fmt.Println("default:", d.Default, "or that of", d.DefaultFrom)
	fmt.Println("inherited from:", d.Inherit)
	fmt.Println("guide:", d.Section)

	d, _ = schema.Lookup("dk-sign", "domain")
	fmt.Printf("%s is %v, use %s\n", d.Name, d.Status, d.Use)
	// Output:
	// true backoff-max-msg-rate rate
	// default: unlimited or that of max-msg-rate
	// inherited from: wildcard+pool+global+include
	// guide: 3.3.10.34
	// dk-sign is old, use dkim-sign
}

func ExampleDirective_Check() {
	for _, line := range [][3]string{
		{"domain", "max-msg-rate", "100/week"},
		{"virtual-mta", "smtp-source-host", "mta1.example.com 192.0.2.1"},
		{"", "domain-key", "dkim,example.com,*,/etc/pmta/dkim.pem"},
		{"", "http-api-key", "not-my-real-key"},
		{"domain", "use-starttls", "yes"},
	} {
		d, ok := schema.Lookup(line[1], line[0])
		if !ok {
			fmt.Println("unknown:", line[1])
			continue
		}
		for _, e := range d.Check(line[2]) {
			fmt.Println(e)
		}
	}
	// Output:
	// rate: wrong form at byte 4: expected a unit: d, day, h, hr, m, min, s or sec
	// smtp-source-host: wrong form at byte 0: expected the address in front of the host name
	// domain-key: wrong form at byte 18: expected three parts: SELECTOR,DOMAIN,FILE
	// api-key: wrong form at byte 3: expected letters, digits and underscores
}

func ExampleDirective_Canonical() {
	retry, _ := schema.Lookup("retry-after", "domain")
	for _, value := range []string{"60m,120m", `"1h,2h"`, "3600,7200"} {
		s, err := retry.Canonical(value)
		fmt.Println(s, err)
	}
	// Output:
	// 1h,2h <nil>
	// 1h,2h <nil>
	// 1h,2h <nil>
}

func ExampleSuggest() {
	for _, d := range schema.Suggest("max-smpt-out", "domain") {
		fmt.Printf("did you mean %s in <%s>?\n", d.Name, d.Scope)
	}
	for _, d := range schema.Suggest("bounce-after", "virtual-mta") {
		fmt.Printf("%s belongs into <%s>\n", d.Name, d.Scope)
	}
	// Output:
	// did you mean max-smtp-out in <domain>?
	// bounce-after belongs into <domain>
}

func ExampleLookupScope() {
	s, ok := schema.LookupScope("domain", "virtual-mta")
	fmt.Println(ok, s.Arg, s.Inherit)
	for _, e := range s.CheckArg("yahoo.com, aol.com") {
		fmt.Println(e)
	}
	_, ok = schema.Reserved("domain", "{sparkpst}")
	fmt.Println(ok)
	// Output:
	// true DOMAIN-PATTERN wildcard+pool+global+include
	// argument of domain: wrong form at byte 9: expected one name; a domain-macro holds several
	// false
}

func ExampleSuggestScope() {
	for _, s := range schema.SuggestScope("virtul-mta", "") {
		fmt.Println(s.Name)
	}
	// Output: virtual-mta
}

func ExamplePattern_Match() {
	for _, s := range []string{"example.com", "*.example.com", "[*.]example.com", "[10/8]", "*"} {
		p, err := schema.ParsePattern(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(s, p.Match("example.com"), p.Match("mail.Example.com"), p.Match("[10.0.0.1]"))
	}
	// Output:
	// example.com true false false
	// *.example.com false true false
	// [*.]example.com true true false
	// [10/8] false false true
	// * true true true
}

func ExampleMacros_Expand() {
	var macros schema.Macros
	for _, value := range []string{"com com, co.uk", "tld $com, net"} {
		m, err := schema.ParseMacro(value)
		if err == nil {
			err = macros.Define(m)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	p, _ := schema.ParsePattern("[*.]shop.$tld")
	fmt.Println(macros.Expand(p))

	_ = macros.Define(schema.Macro{Name: "a", List: []string{"$b"}})
	_ = macros.Define(schema.Macro{Name: "b", List: []string{"x.$a"}})
	err := macros.Loop("a")
	fmt.Println(err, errors.Is(err, schema.ErrLoop))
	// Output:
	// [[*.]shop.com [*.]shop.co.uk [*.]shop.net] <nil>
	// $a: macro stands for itself: $a -> $b -> $a true
}

func ExampleRegex_Compile() {
	reply, err := schema.ParseReply(`/^421 .*try again later/ mode=backoff`)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := reply.Match.Compile(schema.FoldCase) // guide 3.3.15
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Match("421 4.7.0 Try again later"))
	fmt.Println(m.Match("421 4.7.0\r\nTry again later")) // whether a dot matches a line end is not known

	back, _ := schema.ParseRegex(`/(.)\1/`)
	_, err = back.Compile(schema.FoldCase)
	fmt.Println(err)
	_, err = schema.ParseRegex(`/mailbox (full/`)
	fmt.Println(err)
	// Output:
	// true true
	// true false
	// regex: no equivalent Go expression at byte 4: expected no back reference
	// regex: wrong form at byte 9: expected the ) of a group
}

func ExampleParseRate() {
	r, err := schema.ParseRate("100/15m")
	fmt.Println(r.Count, r.Per, err)
	_, err = schema.ParseRate("100/0m")
	var e *schema.ValueError
	fmt.Println(errors.As(err, &e), errors.Is(err, schema.ErrRange), e.Start, e.End)
	// Output:
	// 100 15m <nil>
	// true true 4 5
}

func ExampleParseListener() {
	l, err := schema.ParseListener("0/0:2525 source=feed")
	fmt.Println(l.Net, l.Port, l.Source, err)
	// Output: 0.0.0.0/0 2525 feed <nil>
}

func ExampleParseSMTPHosts() {
	h, err := schema.ParseSMTPHosts("a.example, [192.0.2.9]:2525; lookup-mx:b.example")
	if err != nil {
		fmt.Println(err)
	}
	for i, level := range h.Levels {
		fmt.Println(i, level)
	}
	// Output:
	// 0 [a.example [192.0.2.9]:2525]
	// 1 [lookup-mx:b.example]
}

func ExampleParseRule() {
	r, err := schema.ParseRule("header", `x-stream /^\s*news/ virtual-mta=pool1, recipient-priority=20`)
	fmt.Println(r.Header, r.Match, r.VirtualMTA, r.Priority, err)
	// Output: x-stream /^\s*news/ pool1 20 <nil>
}

func ExampleParseDomainKey() {
	k, err := schema.ParseDomainKey("s1, example.com, /etc/pmta/s1.pem")
	fmt.Println(k.Selector, k.Domain, k.File, err)
	// Output: s1 example.com /etc/pmta/s1.pem <nil>
}
