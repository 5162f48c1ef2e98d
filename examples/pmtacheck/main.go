// Pmtacheck parses PMTA configurations with all that they include, and shows what is wrong with them.
//
//	go run ./examples/pmtacheck /etc/pmta/config
//	go run ./examples/pmtacheck -format json -root /srv/copy /srv/copy/etc/pmta/config
//	go run ./examples/pmtacheck -disable deprecated,old-directive /etc/pmta/config
//	go run ./examples/pmtacheck -fix -dry-run /etc/pmta/config     # what would be mended
//	go run ./examples/pmtacheck -fix /etc/pmta/config > undo.patch # patch -R -p1 -d /etc/pmta < undo.patch takes it back
//	go run ./examples/pmtacheck -list
//	go run ./examples/pmtacheck -roundtrip *.conf
//
// With -fix it applies the edits that findings offer because they are certain, prints them as one diff and writes each file in one
// step, with its mode and owner kept; what is left goes to standard error. Paths in the diff are below the file's folder, or the root
// if there is one. No line around a change shows a password; where one changes itself, -secrets shows it.
//
// With -roundtrip it reads each file alone, writes it back in memory and compares: one row a file. It exits with 0 when nothing of
// severity error was found, 1 when something was, 2 when it could not run.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

func main() { cli.Main("pmtacheck", run) }

func run(ctx context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	switch {
	case o.list:
		return listRules(env, o.format)
	case o.roundtrip:
		return roundtripAll(ctx, env, o.files)
	}
	var found []finding
	for _, name := range o.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		look := o.checkFile
		if o.fix {
			look = o.fixFile
		}
		list, err := look(ctx, env, name)
		if err != nil {
			return err
		}
		found = append(found, list...)
	}
	if err := o.show(env, found); err != nil {
		return err
	}
	for _, f := range found {
		if f.Severity == pmtaconf.Error {
			return cli.ErrFound
		}
	}
	return nil
}

// checkFile gives the findings about a configuration.
func (o *options) checkFile(_ context.Context, _ *cli.Env, name string) ([]finding, error) {
	c, dir, err := cli.Open(name, o.root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return o.findings(c, name), nil
}

// findings are those about a configuration whose main file is called name on this machine.
func (o *options) findings(c *pmtaconf.Config, name string) []finding {
	texts := make(map[string][]byte)
	for f := range c.Files() {
		texts[local(o.dir(name), f.Name())] = f.Source()
	}
	var found []finding
	for _, d := range check.Run(c, &o.check) {
		f := finding{localised(d, o.dir(name)), texts}
		if f.Fix != nil && tells(f.text(f.File), f.Fix) {
			f.Fix = nil
		}
		found = append(found, f)
	}
	return found
}

// tells reports whether an edit would tell a password to whoever reads it: one in the lines that it changes, before or after.
func tells(src []byte, e *pmtaconf.Edit) bool {
	if e.Start < 0 || e.Start > e.End || e.End > len(src) {
		return true
	}
	from, to := bytes.LastIndexByte(src[:e.Start], '\n')+1, len(src)
	if i := bytes.IndexByte(src[e.End:], '\n'); i >= 0 {
		to = e.End + i
	}
	before, after := string(src[from:to]), string(src[from:e.Start])+e.New+string(src[e.End:to])
	return pmtaconf.Mask(before) != before || pmtaconf.Mask(after) != after
}

// dir is the folder that the files of a configuration lie below.
func (o *options) dir(name string) string { return cmp.Or(o.root, filepath.Dir(name)) }

// finding is a diagnostic with the texts that it speaks of. Its Fix is nil where that would show a password; -fix applies it all
// the same.
type finding struct {
	*pmtaconf.Diagnostic
	texts map[string][]byte // of the configuration, by the paths of this machine
}

// text is what a file of the configuration holds.
func (f *finding) text(file string) []byte { return f.texts[file] }

// localised is a diagnostic with the files' paths as they are on this machine, below dir.
func localised(d *pmtaconf.Diagnostic, dir string) *pmtaconf.Diagnostic {
	here := *d
	here.File = local(dir, d.File)
	here.Related = slices.Clone(d.Related)
	for i, r := range here.Related {
		here.Related[i].File = local(dir, r.File)
	}
	return &here
}

// local is the path of a file on this machine.
func local(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

func showText(env *cli.Env, found []finding) error {
	count := make(map[pmtaconf.Severity]int)
	for _, f := range found {
		count[f.Severity]++
		if _, err := fmt.Fprint(env.Stdout, f.Render(f.text(f.File))); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(env.Stdout, "%s, %s, %s\n",
		plural(count[pmtaconf.Error], "error"), plural(count[pmtaconf.Warning], "warning"), plural(count[pmtaconf.Info], "note"))
	return err
}

func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}

func showJSON(env *cli.Env, found []finding) error {
	list := make([]*pmtaconf.Diagnostic, 0, len(found))
	for _, f := range found {
		list = append(list, f.Diagnostic)
	}
	return encode(env, list)
}

func encode(env *cli.Env, v any) error {
	enc := json.NewEncoder(env.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// roundtripAll prints a row a file: bytes, lines, lines that could not be understood, and whether both ways of writing give back what
// was read.
func roundtripAll(ctx context.Context, env *cli.Env, names []string) error {
	wrong := false
	var failed error // files that could not be read do not keep the others from their rows
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		identical, err := roundtrip(env, name, src)
		if err != nil {
			return err
		}
		wrong = wrong || !identical
	}
	if failed == nil && wrong {
		return cli.ErrFound
	}
	return failed
}

func roundtrip(env *cli.Env, name string, src []byte) (identical bool, err error) {
	f, _ := pmtaconf.Parse(name, src)
	var written bytes.Buffer
	if _, err := f.WriteTo(&written); err != nil {
		return false, err
	}
	identical = bytes.Equal(f.Bytes(), src) && bytes.Equal(written.Bytes(), src)
	bad := 0
	for n := range f.All() {
		if _, ok := n.(*pmtaconf.Bad); ok {
			bad++
		}
	}
	lines := bytes.Count(src, []byte("\n"))
	if len(src) > 0 && src[len(src)-1] != '\n' {
		lines++
	}
	_, err = fmt.Fprintf(env.Stdout, "%s bytes=%d lines=%d bad=%d identical=%t\n", name, len(src), lines, bad, identical)
	return identical, err
}
