package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/split"
)

// Files below the output folder.
const (
	configDir   = "config"
	diffFile    = "changes.diff"
	flowFile    = "flow.svg"
	archiveFile = "before.tar.gz"
	planFile    = "plan.json"
	sampleDir   = "sample"
	markFile    = ".relayshift" // says that migrate made the folder, and may replace what is in it
)

// openOut makes the output folder, or takes one that an earlier run made. Any other folder that is not empty is refused: what lies
// in it could be somebody's configuration.
func openOut(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	known := []string{configDir, diffFile, flowFile, archiveFile, planFile, sampleDir, markFile}
	mine := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == markFile })
	for _, e := range entries {
		if !mine || !slices.Contains(known, e.Name()) {
			return nil, fmt.Errorf("%s holds %s, which migrate did not write; name an empty folder with -out", dir, e.Name())
		}
	}
	out, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if err := out.WriteFile(markFile, []byte("Made by migrate. The next run replaces what is in this folder.\n"), 0o600); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// within reports whether a file lies below a folder, links followed.
func within(file, dir string) bool {
	var real [2]string
	for i, name := range []string{file, dir} {
		abs, err := filepath.Abs(name)
		if err != nil {
			return false
		}
		if real[i], err = filepath.EvalSymlinks(abs); err != nil {
			real[i] = abs
		}
	}
	rel, err := filepath.Rel(real[1], real[0])
	return err == nil && filepath.IsLocal(rel)
}

// write puts the results into the output folder.
func (m *migration) write(ctx context.Context) error {
	for _, name := range []string{configDir, diffFile, flowFile, archiveFile, planFile} {
		if err := m.dst.RemoveAll(name); err != nil {
			return err
		}
	}
	if len(m.targets) > 0 {
		for f := range m.config.Files() {
			if err := m.put(path.Join(configDir, f.Name()), f.Bytes(), 0o640); err != nil {
				return err
			}
		}
		m.files = append(m.files, configDir+"  the new configuration, all files")
		if err := m.put(diffFile, []byte(m.diff), 0o644); err != nil {
			return err
		}
		m.files = append(m.files, diffFile+"  the diff above, passwords masked")
		picture, err := m.picture()
		if err != nil {
			return err
		}
		if err := m.put(flowFile, picture, 0o644); err != nil {
			return err
		}
		m.files = append(m.files, flowFile+"  a picture of where the mail goes then")
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
	if err := m.dst.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	if err := m.dst.WriteFile(name, text, mode); err != nil {
		return err
	}
	return m.dst.Chmod(name, mode) // past the umask
}

func (m *migration) archive(ctx context.Context) error {
	f, err := m.dst.OpenFile(archiveFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
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
		Main     string             `json:"main"`
		Share    string             `json:"share"`
		Streams  []relay.Stream     `json:"streams"`
		Targets  []*target          `json:"targets"`
		Skipped  []skip             `json:"skipped,omitempty"`
		Keys     []*key             `json:"keys,omitempty"`
		Service  string             `json:"service"`
		Applied  bool               `json:"applied"`
		Changes  *sparkpost.Changes `json:"resources,omitempty"`
		Pools    []lines            `json:"pools"`
		Ramps    map[string][]day   `json:"ramps"`
		Findings []string           `json:"faults,omitempty"`
		Checks   []string           `json:"check_by_hand"`
	}{
		Main: m.config.Main().Name(), Share: split.FormatShare(m.share), Streams: list(m.inv.Streams), Targets: list(m.targets),
		Skipped: m.skipped, Keys: m.keys, Service: m.service, Applied: m.applied != nil, Changes: m.changes, Pools: []lines{},
		Ramps: make(map[string][]day), Findings: m.faults, Checks: list(m.byHand()),
	}
	for _, t := range m.targets {
		s := t.Split
		plan.Pools = append(plan.Pools, lines{t.Pool, s.Members, s.Counts, split.FormatShare(m.reached(t)), split.FormatShare(s.MaxError),
			split.FormatShare(s.Smallest), s.NextLines, s.Lines})
		for _, d := range t.days {
			x := day{Date: d.Date.Format(time.DateOnly), Cap: d.Cap, Stage: d.Stage}
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

// list is s, empty rather than nil: JSON readers expect a list where one belongs.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
