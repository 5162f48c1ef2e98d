package pmtaconf

import (
	"errors"
	"maps"
)

var errEdited = errors.New("pmtaconf: findings speak of the configuration as it was loaded, and it has been edited since; save it and load it anew")

// keptFile is a file that is not read again.
type keptFile struct {
	text string // to parse
	info fileInfo
}

// Mend gives the configuration with the fixes that l offers, read anew; [ErrorList.Mend] says how they are applied. Of fixes that
// overlap only the first is, so mend the result with its own findings until nothing is left to mend.
//
// Nothing is written: Diff shows what was mended, against what was loaded first, and Save writes it. What only the mended files
// include is read from the file system; everything else is taken as c holds it, so that Save notices when somebody else has changed a
// file in between. The Config c stays as it is, and is what comes back when there is nothing to mend. A configuration that has been
// edited is refused, with one that has added or dropped files.
func (c *Config) Mend(l ErrorList) (*Config, error) {
	next := &Config{fsys: c.fsys, opts: c.opts, at: make(map[string]*File), info: make(map[*File]*fileInfo)}
	if next.kept = maps.Clone(c.kept); next.kept == nil {
		next.kept = make(map[string]keptFile)
	}
	mended := false
	for _, f := range c.files {
		info := c.info[f]
		if f.Edited() || info.created || info.dropped {
			return nil, errEdited
		}
		src := f.Source()
		text := l.Mend(f.path, src)
		mended = mended || string(text) != string(src)
		next.kept[f.path] = keptFile{string(text), *info}
	}
	if !mended {
		return c, nil
	}
	next.load(c.main.path, c.main.path)
	return next, nil
}
