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
	"path"
)

// The sample is a configuration of several files, as a server keeps it.
//
//go:embed sample
var sample embed.FS

// sampleKeys are the DKIM keys that the sample names. They are made when it is unpacked: no key is ever part of a program.
var sampleKeys = []string{"k2023.example.com.pem", "k2024.alerts.example.com.pem", "p1.partner.example.net.pem"}

// unpackSample writes the sample below out, with fresh keys, and gives the path of its main file there. Keys that are there are
// kept, so that a second run plans the same.
func unpackSample(out *os.Root) (string, error) {
	err := fs.WalkDir(sample, sampleDir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return out.MkdirAll(name, 0o755)
		}
		text, err := sample.ReadFile(name)
		if err != nil {
			return err
		}
		return out.WriteFile(name, text, 0o640)
	})
	if err != nil {
		return "", err
	}
	keys := path.Join(sampleDir, "etc/pmta/dkim")
	if err := out.MkdirAll(keys, 0o700); err != nil {
		return "", err
	}
	for _, name := range sampleKeys {
		if err := makeKey(out, path.Join(keys, name)); err != nil {
			return "", fmt.Errorf("make a key for the sample: %w", err)
		}
	}
	return path.Join(sampleDir, "etc/pmta/config"), nil
}

func makeKey(out *os.Root, name string) error {
	if _, err := out.Stat(name); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return out.WriteFile(name, text, 0o600)
}
