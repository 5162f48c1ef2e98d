package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The sample is a configuration of several files, as a server keeps it.
//
//go:embed sample
var sample embed.FS

// sampleKeys are the DKIM keys that the sample names. They are made when it is unpacked: no key is ever part of a program.
var sampleKeys = []string{"k2023.example.com.pem", "k2024.alerts.example.com.pem", "p1.partner.example.net.pem"}

// unpackSample writes the sample below dir, with fresh keys, and gives the path of its main file. Keys that are there are kept, so
// that a second run plans the same.
func unpackSample(dir string) (string, error) {
	err := fs.WalkDir(sample, "sample", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := sample.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o640)
	})
	if err != nil {
		return "", err
	}
	keys := filepath.Join(dir, "sample", "etc", "pmta", "dkim")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return "", err
	}
	for _, name := range sampleKeys {
		if err := makeKey(filepath.Join(keys, name)); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "sample", "etc", "pmta", "config"), nil
}

func makeKey(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make a key for the sample: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return os.WriteFile(name, text, 0o600)
}
