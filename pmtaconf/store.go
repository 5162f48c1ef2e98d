package pmtaconf

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// store is what Save does with a file system, one method an operation, so that a test can stop it at each.
type store interface {
	ReadFile(name string) ([]byte, error)
	Lstat(name string) (fs.FileInfo, error)
	Create(name string) (storeFile, error) // a new file, for its owner alone
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(name string) error
}

type storeFile interface {
	io.Writer
	Chown(like fs.FileInfo) error // the owner and group of another file
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
}

// replace puts text in the place of the file called name, or makes it, with the owner of the file called like. Check runs last
// before the old file goes.
func replace(s store, name, like string, text []byte, info *fileInfo, check func() error) (err error) {
	owner, err := s.Lstat(like)
	if err != nil {
		return err
	}
	mode := info.mode
	if !info.created {
		mode = owner.Mode()
	}
	dir, base := path.Split(name)
	temp := dir + "." + base[:min(len(base), 200)] + ".relayshift-" + rand.Text()[:8] // a name has 255 bytes at most
	f, err := s.Create(temp)
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				f.Close()
			}
			s.Remove(temp)
		}
	}()
	if n, werr := f.Write(text); werr != nil || n < len(text) {
		return errors.Join(werr, shortWrite(n, len(text)))
	}
	if err = f.Chown(owner); err != nil {
		return err
	}
	if err = f.Chmod(mode & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	closed = true
	if err = f.Close(); err != nil {
		return err
	}
	if err = check(); err != nil {
		return err
	}
	return s.Rename(temp, name)
}

func shortWrite(n, want int) error {
	if n < want {
		return io.ErrShortWrite
	}
	return nil
}

// rootStore is the store of a real folder. Nothing outside it can be reached, not through links either.
type rootStore struct{ root *os.Root }

func (s rootStore) ReadFile(name string) ([]byte, error)   { return s.root.ReadFile(name) }
func (s rootStore) Lstat(name string) (fs.FileInfo, error) { return s.root.Lstat(name) }
func (s rootStore) Rename(from, to string) error           { return s.root.Rename(from, to) }
func (s rootStore) Remove(name string) error               { return s.root.Remove(name) }

func (s rootStore) Create(name string) (storeFile, error) {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// SyncDir makes renames in the folder last through a power cut.
func (s rootStore) SyncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

type osFile struct{ *os.File }
