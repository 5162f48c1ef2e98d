//go:build unix && !solaris && !illumos && !aix

package events

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile takes the lock of a file, which ends with the process. The file stays: to remove it would let two hold it. Closing alone
// would not give the lock free while a child that is being started still has a copy of the descriptor.
func lockFile(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another process writes it")
		}
		return nil, err
	}
	return func() error { return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close()) }, nil
}

// syncDir makes a new name in a folder last. Some file systems have no such thing.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
