//go:build !unix || solaris || illumos || aix

package events

// lockFile locks nothing: these systems have no lock that ends with the process in the standard library.
func lockFile(string) (unlock func() error, err error) { return func() error { return nil }, nil }

// syncDir does nothing: folders cannot be synced everywhere.
func syncDir(string) error { return nil }
