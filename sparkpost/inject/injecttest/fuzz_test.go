package injecttest_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

var replyLine = regexp.MustCompile(`^[2-5][0-9][0-9]([ -][^\n]*)?\r\n$`)

var known = map[string]bool{"EHLO": true, "HELO": true, "LHLO": true, "AUTH": true, "STARTTLS": true, "MAIL": true, "RCPT": true, "DATA": true,
	"BDAT": true, "RSET": true, "NOOP": true, "VRFY": true, "EXPN": true, "HELP": true, "QUIT": true}

// Whatever a client sends, each line that the sink answers is a line of a reply, the session ends with the connection, exactly the
// messages that were answered with their ids are kept, and the password is in nothing that the sink gives out.
func FuzzSession(f *testing.F) {
	const hello = "EHLO c\r\n"
	for _, s := range []string{
		"", "\r\n", "\n", "QUIT\r\n", hello + "QUIT\r\nNOOP\r\n", hello + "STARTTLS\r\nMAIL FROM:<a@b>\r\n", "STARTTLS x\r\n", "BDAT 3 LAST\r\nabc",
		hello + "MAIL FROM:<a@b> SIZE=3 BODY=8BITMIME\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n..y\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n",
		hello + "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\n.\r\n.\nQUIT\r\n\r\r\n.\r\n",
		hello + "AUTH PLAIN AHUAd29uZGVybGFuZA==\r\nAUTH LOGIN\r\n", hello + "AUTH LOGIN\r\ndQ==\r\nd29uZGVybGFuZA==\r\n",
		hello + "AUTH  X\r\nd29uZGVybGFuZA==\r\nAUTH\tPLAIN d29uZGVybGFuZA==\r\n*\r\n", "VRFY \xff\x00\r\nEXPN\rHELP\nRSET\r\n" + hello + hello,
	} {
		f.Add([]byte(s))
	}
	sink, err := injecttest.Listen(injecttest.Config{
		Keep: 3, MaxBytes: 1000, MaxRecipients: 10, InsecureAuth: true, Timeout: 5 * time.Second,
		Accounts: []injecttest.Account{{User: "u", Password: "wonderland"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { sink.Close() })
	f.Fuzz(func(t *testing.T, in []byte) {
		before := sink.Stats().Messages
		conn, err := net.Dial("tcp", sink.Addr())
		if err != nil {
			t.Skip(err) // out of ports
		}
		defer conn.Close()
		go func() {
			conn.Write(in)
			conn.(*net.TCPConn).CloseWrite()
		}()
		kept := int64(0)
		r := bufio.NewReader(conn)
		for err = nil; err == nil; {
			var line string
			line, err = r.ReadString('\n')
			if err == nil && !replyLine.MatchString(line) {
				t.Fatalf("the sink says %q", line)
			}
			if strings.HasPrefix(line, "250 2.0.0 OK ") {
				kept++
			}
		}
		// A sink that closes with input unread resets the connection, and replies on their way are lost.
		got := sink.Stats().Messages - before
		if got < kept || errors.Is(err, io.EOF) && got != kept {
			t.Fatalf("%d messages kept, %d answered", got, kept)
		}
		for _, session := range sink.Sessions() {
			for _, c := range session.Commands {
				verb, _, _ := strings.Cut(strings.ToUpper(c), " ")
				if !known[verb] && c != "[no command]" || verb == "AUTH" && strings.Contains(c, "d29uZGVybGFuZ") {
					t.Fatalf("%q is kept as a command", c)
				}
			}
		}
	})
}
