package dkim

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// nameServer answers on a local port, by UDP up to 1,232 bytes and by TCP beyond, for as long as the test runs.
type nameServer struct {
	txt   map[string][]string
	cname map[string]string
	mute  map[string]bool // gets no answer
	fail  map[string]bool // SERVFAIL
}

// start returns a resolver that asks the server, whatever it is asked to dial.
func (s *nameServer) start(t *testing.T) *net.Resolver {
	t.Helper()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := tcp.Addr().String()
	udp, err := net.ListenPacket("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close(); udp.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			out := s.answer(buf[:n])
			if len(out) > 1232 {
				out = s.cut(buf[:n])
			}
			if out != nil {
				udp.WriteTo(out, from)
			}
		}
	}()
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

func (s *nameServer) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		out := s.answer(query)
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	}
}

// question returns name, type and the bytes of a question.
func question(query []byte) (name string, kind uint16, raw []byte) {
	var labels []string
	at := 12
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	return strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(query[at+1:]), query[12 : at+5]
}

// cut is an answer that says that it did not fit.
func (s *nameServer) cut(query []byte) []byte {
	_, _, raw := question(query)
	return append([]byte{query[0], query[1], 0x87, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, raw...)
}

func (s *nameServer) answer(query []byte) []byte {
	name, kind, raw := question(query)
	if s.mute[name] {
		return nil
	}
	var answers [][]byte
	record := func(owner []byte, kind byte, data []byte) {
		head := append(append([]byte(nil), owner...), 0, kind, 0, 1, 0, 0, 0, 60)
		answers = append(answers, append(binary.BigEndian.AppendUint16(head, uint16(len(data))), data...))
	}
	owner, known := []byte{0xc0, 12}, s.txt[name] != nil
	if target := s.cname[name]; target != "" {
		var encoded []byte
		for label := range strings.SplitSeq(target, ".") {
			encoded = append(append(encoded, byte(len(label))), label...)
		}
		encoded = append(encoded, 0)
		record(owner, 5, encoded)
		owner, name, known = encoded, target, true
	}
	if kind == 16 {
		for _, txt := range s.txt[name] {
			var data []byte
			for len(txt) > 0 {
				n := min(len(txt), 255)
				data = append(append(data, byte(n)), txt[:n]...)
				txt = txt[n:]
			}
			record(owner, 16, data)
		}
	}
	code := byte(0)
	switch {
	case s.fail[name]:
		code = 2
	case !known:
		code = 3
	}
	out := append([]byte{query[0], query[1], 0x85, 0x80 | code, 0, 1, 0, byte(len(answers)), 0, 0, 0, 0}, raw...)
	for _, a := range answers {
		out = append(out, a...)
	}
	return out
}

// Through a real resolver everything is found that DNS can have at a name.
func TestCompareThroughNetResolver(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048()))
	good := k.Record().String()
	private, _, err := k.SparkPostPair()
	if err != nil {
		t.Fatal(err)
	}
	at := func(selector string) string { return selector + "._domainkey.shop.example" }
	s := &nameServer{
		txt: map[string][]string{
			at("good"):                           {good},
			at("two"):                            {good, "v=spf1 -all"},
			at("none"):                           {},
			at("gone"):                           {"v=DKIM1; p="},
			at("leak"):                           {"v=DKIM1; p=" + private},
			at("many"):                           {good, good, good, good, good},
			at("notes"):                          {"v=DKIM1; n=" + strings.Repeat("x", 2000) + good[len("v=DKIM1"):]},
			"customer._domainkey.vendor.example": {good},
		},
		cname: map[string]string{at("alias"): "customer._domainkey.vendor.example", at("lost"): "gone.vendor.example"},
		mute:  map[string]bool{at("mute"): true},
		fail:  map[string]bool{at("fail"): true},
	}
	r := s.start(t)
	want := map[string]error{"good": nil, "two": ErrSeveral, "none": ErrMissing, "absent": ErrMissing, "gone": ErrRevoked,
		"leak": ErrMalformed, "many": ErrSeveral, "notes": nil, "alias": nil, "lost": ErrMissing, "mute": ErrLookup, "fail": ErrLookup}
	var entries []Entry
	for selector := range want {
		entries = append(entries, entry(selector, "shop.example", k))
	}
	start := time.Now()
	n := needlesOf(k)
	for i, p := range Compare(t.Context(), r, entries, &CompareOptions{Timeout: 3 * time.Second, Limit: len(entries)}) {
		selector := entries[i].Line.Selector
		if kind := want[selector]; !errors.Is(p.Err, kind) || (p.Err == nil) != (kind == nil) {
			t.Errorf("%s: %v", selector, p.Err)
		}
		if (p.CNAME == "customer._domainkey.vendor.example") != (selector == "alias") {
			t.Errorf("%s: alias %q", selector, p.CNAME)
		}
		if p.Err == nil && p.Record.Match(k) != nil {
			t.Errorf("%s: record %v", selector, p.Record)
		}
		for _, text := range renderings(t, p) {
			if what := n.find(text); what != "" {
				t.Fatalf("%s shows %s", selector, what)
			}
		}
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

// A message is verified through a real resolver too.
func TestVerifyThroughNetResolver(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048()))
	s := &nameServer{txt: map[string][]string{"s1._domainkey.shop.example": {k.Record().String()}}}
	list, err := Verify(t.Context(), s.start(t), strings.NewReader(signed(t, k, fullMessage)))
	if err != nil || len(list) != 1 || list[0].Err != nil {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = Verify(t.Context(), new(nameServer).start(t), strings.NewReader(signed(t, k, fullMessage)))
	if err != nil || len(list) != 1 || list[0].Err == nil {
		t.Errorf("without a record: %+v, %v", list, err)
	}
}
