//go:build unix

package pmtaconf

import (
	"io/fs"
	"syscall"
)

// Chown gives the file the owner and group of like, and does nothing where they are the same already.
func (f osFile) Chown(like fs.FileInfo) error {
	want, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if have, ok := info.Sys().(*syscall.Stat_t); ok && have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	return f.File.Chown(int(want.Uid), int(want.Gid))
}
