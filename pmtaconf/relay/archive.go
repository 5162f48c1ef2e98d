package relay

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Archive writes the files of a configuration, as they lie in fsys, to w as a gzipped tar file; files that Save would remove are in
// it. Names, modes and times of change are kept; edits in memory do not show. The files hold passwords, so w should be readable for
// its owner alone. At is the time that the archive says it was made.
func Archive(ctx context.Context, w io.Writer, fsys fs.FS, c *pmtaconf.Config, at time.Time) error {
	zip := gzip.NewWriter(w)
	zip.ModTime = at
	out := tar.NewWriter(zip)
	files := slices.Collect(c.Files())
	for _, f := range c.Changed() {
		if !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := fs.Stat(fsys, f.Name())
		if err != nil {
			if c.IsNew(f) {
				continue
			}
			return fmt.Errorf("relay: archive: %w", err)
		}
		text, err := fs.ReadFile(fsys, f.Name())
		if err != nil {
			return fmt.Errorf("relay: archive: %w", err)
		}
		head, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return fmt.Errorf("relay: archive %s: %w", f.Name(), err)
		}
		head.Name, head.Size = f.Name(), int64(len(text))
		if err := out.WriteHeader(head); err != nil {
			return fmt.Errorf("relay: archive: %w", err)
		}
		if _, err := out.Write(text); err != nil {
			return fmt.Errorf("relay: archive: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("relay: archive: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("relay: archive: %w", err)
	}
	return nil
}
