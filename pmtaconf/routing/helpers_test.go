package routing_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// load reads a configuration of one file.
func load(t fataler, text string) *pmtaconf.Config {
	t.Helper()
	c, _ := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte(text)}}, "config", nil)
	if c.Main() == nil {
		t.Fatal("the configuration was not loaded")
	}
	return c
}

// index is the index of a configuration of one file; readings are "doubt=reading".
func index(t fataler, text string, readings ...string) *routing.Index {
	t.Helper()
	opts := &routing.Options{Readings: make(map[string]string)}
	for _, r := range readings {
		id, reading, _ := strings.Cut(r, "=")
		opts.Readings[id] = reading
	}
	ix, err := routing.New(load(t, text), opts)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// queue reads DOMAIN/VMTA.
func queue(s string) routing.Queue {
	i := strings.LastIndexByte(s, '/')
	return routing.Queue{Domain: s[:i], VMTA: s[i+1:]}
}

// scope is a tag around lines.
func scope(tag string, lines ...string) string {
	name, _, _ := strings.Cut(tag, " ")
	return "<" + tag + ">\n" + strings.Join(lines, "\n") + "\n</" + name + ">\n"
}

func join(parts ...string) string { return strings.Join(parts, "") }

// said gives a setting in a form for tables: "value level", with "" for cleared.
func said(s routing.Setting) string {
	v := s.Value
	if s.Cleared {
		v = `""`
	}
	return strings.TrimSpace(fmt.Sprint(v, " ", s.Level))
}

// indexFiles is the index of a configuration of several files; the main one is "config".
func indexFiles(t testing.TB, files map[string]string) *routing.Index {
	t.Helper()
	m := make(fstest.MapFS)
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, _ := pmtaconf.Load(m, "config", nil)
	ix, err := routing.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}
