// Package dkim reads the private keys that sign mail, judges them, writes the
// DNS record that belongs to them, compares it with what DNS has, and gives the
// keys to SparkPost in the form its API takes, so that a signing domain can move
// without a change in DNS.
//
// What there is to do with a set of keys, in the order in which it is done:
//
//   - Collect: [ParseKeyLine] for the domain-key lines of PowerMTA,
//     [ParseOpenDKIM] and [ParseRspamd] for the tables of other signers;
//     [KeyLines.Expand] for keys that sign for any domain.
//   - Read: [LoadKeys], or [ParseKey] and [LoadKey] for one.
//   - Judge: [Key.Check] with policies, [Key.CheckPrimes], [CheckFile],
//     [CheckSet].
//   - Publish and compare: [Key.Record], [CheckRecord], [Compare].
//   - Move: [PlanSparkPost], [Key.SparkPostPair].
//   - Make and try: [NewKey], [Key.WriteFiles], [Key.SignMessage], [Verify].
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
//     error of this package. The exceptions exist to carry the key: the first
//     result of [Key.SparkPostPair], [Key.SparkPostObject] and the file of
//     [Key.WriteFiles].
//   - What [Key.Sign] signs verifies against the record of [Key.Record].
//   - What [ParseRecord] or [ParseKeyLine] gave, written by its String and
//     read again, is the same. [CheckRecord] finds a failure exactly where
//     ParseRecord refuses, and what it repairs ParseRecord takes.
//   - [CheckSet] finds a shared prime exactly where two keys have one.
//   - [KeyLines.Expand] changes no answer of [KeyLines.For] about the domains
//     it is given.
//   - [Compare] asks for each name once, never for more at a time than it is
//     told, and keeps what it has when the context ends.
//   - [Key.WriteFiles] touches no file that exists.
//
// A [*Key] is a [crypto.Signer], which is what github.com/emersion/go-msgauth
// and other signers ask for. The package opens no file except through the
// [fs.FS] or [os.Root] it is given, asks no resolver but the [Resolver] it is
// given, and keeps no state.
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
