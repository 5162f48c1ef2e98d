//go:build !unix

package pmtaconf

import "io/fs"

// Chown does nothing: a new file has the owner of the program there.
func (f osFile) Chown(fs.FileInfo) error { return nil }
