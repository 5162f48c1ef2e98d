package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/clitest"
	"github.com/relayshift/relayshift/pmtaconf/acct"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"acctspread": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t, func(p *testscript.Params) { p.Cmds["mail"], p.Cmds["want"] = mail, want })
}

// mail writes an accounting file, compressed if its name ends in .gz:
//
//	mail FILE COLUMNS TYPE:POOL:VMTA:N...
//
// with N records for each of the last, a minute apart from 2026-03-02 00:00 on.
func mail(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mail FILE COLUMNS TYPE:POOL:VMTA:N...")
	}
	columns := strings.Split(args[1], ",")
	h, err := acct.NewHeader(columns...)
	ts.Check(err)
	var out bytes.Buffer
	w := acct.NewWriter(&out, h)
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for _, arg := range args[2:] {
		part := strings.Split(arg, ":")
		n, err := strconv.Atoi(part[3])
		ts.Check(err)
		for range n {
			row := map[string]string{"type": part[0], "vmtaPool": part[1], "vmta": part[2], "timeLogged": acct.FormatTime(at.Add(90 * time.Second)),
				"timeQueued": acct.FormatTime(at), "rcpt": fmt.Sprintf("ann@mail%d.example", n%9), "dsnDiag": "smtp;250 ok, \"queued\""}
			values := make([]string, len(columns))
			for i, c := range columns {
				values[i] = row[c]
			}
			rec, err := h.Record(values...)
			ts.Check(err)
			ts.Check(w.Write(rec))
			at = at.Add(time.Minute)
		}
	}
	ts.Check(w.Flush())
	data := out.Bytes()
	if strings.HasSuffix(args[0], ".gz") {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, err := z.Write(data)
		ts.Check(err)
		ts.Check(z.Close())
		data = zipped.Bytes()
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

// want looks up a path such as members.0.messages in the JSON of a file and compares it.
func want(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: want FILE PATH VALUE")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	var v any
	ts.Check(dec.Decode(&v))
	for _, key := range strings.Split(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(x) {
				ts.Fatalf("%s: there are only %d", args[1], len(x))
			}
			v = x[i]
		default:
			v = nil
		}
	}
	if got := fmt.Sprint(v); got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}
