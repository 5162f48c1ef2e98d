package injecttest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/textproto"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// A message arrives as it was sent, whatever is in it, however it is cut into packets, and the commands behind it are commands.
func TestAnyBody(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{Keep: 1})
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", ".", "..", "a", ".a", "QUIT", "a.", "a\rb", "é\x00", strings.Repeat("x", 5000)}), 0, 20).Draw(rt, "lines")
		var raw bytes.Buffer
		w := textproto.NewWriter(bufio.NewWriter(&raw))
		fmt.Fprint(&raw, "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
		for _, line := range lines {
			if strings.HasPrefix(line, ".") {
				w.W.WriteString(".")
			}
			w.W.WriteString(line + "\r\n")
		}
		w.W.WriteString(".\r\nNOOP\r\nQUIT\r\n")
		w.W.Flush()
		want := strings.Join(append(lines, ""), "\r\n")

		c := dial(t, s)
		defer c.conn.Close()
		for data := raw.Bytes(); len(data) > 0; {
			n := min(len(data), rapid.IntRange(1, 6000).Draw(rt, "packet"))
			if _, err := c.conn.Write(data[:n]); err != nil {
				rt.Fatal(err)
			}
			data = data[n:]
		}
		var codes []string
		for r := c.reply(); r != ""; r = c.reply() {
			codes = append(codes, r[:3])
		}
		if got := strings.Join(codes, " "); got != "220 250 250 250 354 250 250 221" {
			rt.Fatalf("replies %s", got)
		}
		if got := string(s.Messages()[0].Data); got != want {
			rt.Fatalf("got %q, want %q", got, want)
		}
		if got := strings.Join(s.Sessions()[0].Commands, ","); !strings.HasSuffix(got, ",DATA,NOOP,QUIT") {
			rt.Fatalf("the sink saw the commands %s", got)
		}
	})
}

func BenchmarkSink(b *testing.B) {
	s, err := injecttest.Listen(injecttest.Config{Keep: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	t := &testing.T{}
	c := dial(t, s)
	c.talk("< 220\n> EHLO c\n< 250")
	body := strings.Repeat("0123456789012345678901234567890123456789012345678901234567890123456789012345\r\n", 128)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		c.talk("> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 250\n> DATA\n< 354")
		fmt.Fprint(c.conn, body)
		c.talk("> .\n< 250")
	}
}
