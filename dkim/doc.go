// Package dkim reads the private keys that sign mail, judges them, writes the
// DNS record that belongs to them, and gives them to SparkPost in the form its
// API takes, so that a signing domain can move without a change in DNS.
//
// Guarantees, each held by a test:
//
//   - A key file is recognised by what it holds, not by its name or its PEM
//     label. What is not a private key is named in the error: a certificate, a
//     public key, a DNS record, a key of a kind that cannot sign DKIM.
//   - [ParseKey] never panics, and reads files of hostile contents in bounded
//     time. What it accepts, written again and read again, is the same key.
//   - A weak or damaged RSA key is read and reported by [Key.Check] instead of
//     being refused, as long as its numbers can be read at all.
//   - No private number of a key appears in a string, a log record, JSON or an
//     error of this package. The one exception is the first result of
//     [Key.SparkPostPair], which exists to carry the key.
//   - What [Key.Sign] signs verifies against the record of [Key.Record].
//   - What [ParseRecord] or [ParseKeyLine] gave, written by its String and
//     read again, is the same.
//
// A [*Key] is a [crypto.Signer], which is what github.com/emersion/go-msgauth
// and other signers ask for. The package opens no file except through the
// [fs.FS] it is given, and asks no resolver.
//
// A program that reads one key, says what is wrong with it and prints the
// record to publish:
//
//	package main
//
//	import (
//		"fmt"
//		"log"
//		"os"
//
//		"github.com/relayshift/relayshift/dkim"
//	)
//
//	func main() {
//		key, err := dkim.LoadKey(os.DirFS("/etc/pmta/dkim"), "mail.example.com.pem")
//		if err != nil {
//			log.Fatal(err)
//		}
//		for _, f := range key.Check(dkim.SparkPostPolicy()) {
//			fmt.Println(f.Severity, f.Code, f.Message, f.Hint)
//		}
//		name, err := dkim.RecordName("mail", "example.com")
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Println(name, "TXT", key.Record())
//	}
package dkim
