package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	_ "time/tzdata" // for zones on machines without a database of them

	"github.com/relayshift/relayshift/sparkpost/events"
)

// mapFile is the file that -map names, as the package comment shows it.
type mapFile struct {
	VMTA      map[string]string `json:"vmta"`
	Pool      map[string]string `json:"pool"`
	Job       map[string]string `json:"job"`
	Category  map[string]string `json:"category"`
	Extras    []extra           `json:"extras"`
	Location  string            `json:"location"`
	UnixTimes bool              `json:"unix_times"`
}

type extra struct {
	Column string `json:"column"`
	Field  string `json:"field"`
}

// readMapping reads the file; without one, the mapping knows no virtual MTA.
func readMapping(name string) (*events.Mapping, error) {
	m := &events.Mapping{}
	if name == "" {
		return m, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var f mapFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more behind the mapping", name)
	}
	m.VMTA, m.Pool, m.Job, m.Category, m.UnixTimes = f.VMTA, f.Pool, f.Job, f.Category, f.UnixTimes
	for _, e := range f.Extras {
		m.Extras = append(m.Extras, events.Extra{Column: e.Column, Field: e.Field})
	}
	if f.Location != "" {
		if m.Location, err = time.LoadLocation(f.Location); err != nil {
			return nil, fmt.Errorf("%s: location: %w", name, err)
		}
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}
