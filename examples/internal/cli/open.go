package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// DefaultBase is the folder that a configuration lies in on its server when no root is given: that of PowerMTA on Linux
// (guide 2.2).
const DefaultBase = "/etc/pmta"

// Open loads the configuration at file. With a root, includes are read below it as below the server's root. Without one, the
// file's folder stands for /etc/pmta. The folder is the one that the configuration's paths lie below; the caller closes it.
//
// The error is about the files as such; findings about their text are in Config.Diagnostics.
func Open(file, root string) (*pmtaconf.Config, *os.Root, error) {
	base, name := "/", file
	if root == "" {
		root, name, base = filepath.Dir(file), filepath.Base(file), DefaultBase
	} else if rel, err := filepath.Rel(root, file); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		name = filepath.ToSlash(rel)
	} else if !filepath.IsAbs(file) {
		return nil, nil, fmt.Errorf("%s does not lie below the root %s", file, root)
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, err
	}
	c, err := pmtaconf.Load(dir.FS(), name, &pmtaconf.LoadOptions{Base: base})
	if c.Main() == nil {
		dir.Close()
		return nil, nil, err
	}
	return c, dir, nil
}
