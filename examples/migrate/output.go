package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
)

// Files below the output folder.
const (
	configDir   = "config"
	diffFile    = "changes.diff"
	archiveFile = "before.tar.gz"
	planFile    = "plan.json"
)

// openOut makes the output folder, or takes one that an earlier run made. A folder with anything else in it is refused.
func openOut(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return dir, os.MkdirAll(dir, 0o700)
	} else if err != nil {
		return "", err
	}
	for _, e := range entries {
		switch e.Name() {
		case configDir, diffFile, archiveFile, planFile, "sample":
		default:
			return "", fmt.Errorf("%s holds %s, which migrate did not write; name an empty folder with -out", dir, e.Name())
		}
	}
	return dir, nil
}

// write puts the results into the output folder.
func (m *migration) write(ctx context.Context) error {
	if err := os.RemoveAll(filepath.Join(m.out, configDir)); err != nil {
		return err
	}
	if len(m.targets) > 0 {
		for f := range m.config.Files() {
			if err := m.put(filepath.Join(configDir, filepath.FromSlash(f.Name())), f.Bytes(), 0o640); err != nil {
				return err
			}
		}
		m.files = append(m.files, configDir+"  the new configuration, all files")
		diff := m.config.Diff(&pmtaconf.DiffOptions{Secrets: true})
		if err := m.put(diffFile, []byte(diff), 0o600); err != nil {
			return err
		}
		m.files = append(m.files, diffFile+"  the same as a patch")
	}
	if err := m.archive(ctx); err != nil {
		return err
	}
	m.files = append(m.files, archiveFile+"  the files as they were; it holds their passwords")
	if err := m.put(planFile, []byte(m.planJSON()), 0o644); err != nil {
		return err
	}
	m.files = append(m.files, planFile+"  this plan for programs")
	return nil
}

func (m *migration) put(name string, text []byte, mode fs.FileMode) error {
	name = filepath.Join(m.out, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(name, text, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}

func (m *migration) archive(ctx context.Context) error {
	f, err := os.OpenFile(filepath.Join(m.out, archiveFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = relay.Archive(ctx, f, m.dir.FS(), m.config, m.env.Now())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// planJSON is the plan for programs.
func (m *migration) planJSON() string {
	type lines struct {
		Pool      string   `json:"pool"`
		Members   []string `json:"members"`
		Counts    []int    `json:"counts"`
		Share     string   `json:"share"`
		Error     string   `json:"error"`
		Smallest  string   `json:"smallest"`
		NextLines int      `json:"next_lines,omitempty"`
		Lines     []string `json:"lines"`
	}
	type day struct {
		Date  string `json:"date"`
		Cap   int64  `json:"cap"`
		Relay int64  `json:"relay,omitempty"`
		Share string `json:"share,omitempty"`
		Best  string `json:"best,omitempty"`
		Stage int    `json:"stage"`
	}
	plan := struct {
		Main     string           `json:"main"`
		Share    string           `json:"share"`
		Streams  []relay.Stream   `json:"streams"`
		Targets  []*target        `json:"targets"`
		Skipped  []skip           `json:"skipped,omitempty"`
		Keys     []*key           `json:"keys,omitempty"`
		Service  string           `json:"service"`
		Applied  bool             `json:"applied"`
		Changes  any              `json:"resources,omitempty"`
		Pools    []lines          `json:"pools"`
		Ramps    map[string][]day `json:"ramps"`
		Findings []string         `json:"faults,omitempty"`
		Checks   []string         `json:"check_by_hand"`
	}{
		Main: m.config.Main().Name(), Share: split.FormatShare(m.share), Streams: m.inv.Streams, Targets: m.targets, Skipped: m.skipped,
		Keys: m.keys, Service: m.service, Applied: m.applied != nil, Changes: m.changes, Ramps: make(map[string][]day),
		Findings: m.faults, Checks: m.byHand(),
	}
	for _, t := range m.targets {
		s := t.Split
		plan.Pools = append(plan.Pools, lines{t.Pool, s.Members, s.Counts, split.FormatShare(m.reached(t)), split.FormatShare(s.MaxError),
			split.FormatShare(s.Smallest), s.NextLines, s.Lines})
		for _, d := range t.Days {
			x := day{Date: d.Date.Format("2006-01-02"), Cap: d.Cap, Stage: d.Stage}
			if t.Daily > 0 {
				x.Relay, x.Share, x.Best = d.Relay, split.FormatShare(d.Share), split.FormatShare(d.Best)
			}
			plan.Ramps[t.Pool] = append(plan.Ramps[t.Pool], x)
		}
	}
	text, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return fmt.Sprintf("{%q: %q}\n", "error", err.Error())
	}
	return string(text) + "\n"
}
