package pmtaconf

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// base is the absolute path that the root of the file system stands for.
func (c *Config) base() string {
	if c.opts.Base == "" {
		return "/"
	}
	return c.opts.Base
}

// Path is where a file that the configuration names - a key, a certificate, an include without wildcards - lies in the file
// system that Load was given, links followed. The error says why it lies nowhere there; whether the file exists is not looked at.
func (c *Config) Path(value string) (string, error) {
	p, _, fault := c.locate(value)
	if fault == "" {
		p, fault = c.follow(p)
	}
	if fault != "" {
		return "", fmt.Errorf("pmtaconf: path: %s", fault)
	}
	return p, nil
}

// maxPath is the length in bytes that no path of a file has.
const maxPath = 4096

// locate turns the value of an include into a path of the file system, which may hold wildcards. Fault says why it is none.
func (c *Config) locate(value string) (p string, relative bool, fault string) {
	value = Unquote(value)
	if value == "" || len(value) > maxPath {
		return "", false, "no file can have that name"
	}
	p, absolute := splitAbsolute(value)
	if !absolute {
		dir := "."
		if c.main != nil {
			dir = path.Dir(c.main.path)
		}
		p = path.Join(dir, p)
		if p == ".." || strings.HasPrefix(p, "../") {
			return "", true, "the path leaves the root folder"
		}
		return p, true, ""
	}
	base, _ := splitAbsolute(c.base())
	p = path.Clean("/" + p)[1:]
	base = path.Clean("/" + base)[1:]
	switch {
	case base == "":
	case p == base:
		p = "."
	case strings.HasPrefix(p, base+"/"):
		p = p[len(base)+1:]
	default:
		return "", false, "the path does not lie below " + c.base()
	}
	if p == "" {
		p = "."
	}
	return p, false, ""
}

// splitAbsolute gives a path with slashes only and without root or drive, and whether it had one. Windows paths are known by a
// drive letter or a leading backslash; in others a backslash is an ordinary character.
func splitAbsolute(p string) (string, bool) {
	if len(p) >= 2 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z') {
		return strings.TrimLeft(strings.ReplaceAll(p[2:], `\`, "/"), "/"), true
	}
	if strings.HasPrefix(p, `\`) {
		return strings.TrimLeft(strings.ReplaceAll(p, `\`, "/"), "/"), true
	}
	if strings.HasPrefix(p, "/") {
		return strings.TrimLeft(p, "/"), true
	}
	if strings.Contains(p, `\`) && !strings.Contains(p, "/") {
		return strings.ReplaceAll(p, `\`, "/"), false
	}
	return p, false
}

func hasMeta(p string) bool { return strings.ContainsAny(p, `*?[`) }

// matches reports whether a path with wildcards stands for name. As in a shell, a wildcard does not match the dot that a name
// starts with: temporary files and copies of editors are no configuration.
func matches(pattern, name string) bool {
	if ok, err := path.Match(pattern, name); !ok || err != nil {
		return false
	}
	parts := strings.Split(pattern, "/")
	for i, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." && !strings.HasPrefix(parts[i], ".") {
			return false
		}
	}
	return true
}

// pattern follows the links in front of the first wildcard of a path. Fault says why that cannot be.
func (c *Config) pattern(p string) (pattern, fault string) {
	parts := strings.Split(p, "/")
	n := slices.IndexFunc(parts, hasMeta)
	if n == 0 {
		return p, ""
	}
	dir, fault := c.follow(path.Join(parts[:n]...))
	return path.Join(dir, path.Join(parts[n:]...)), fault
}

// glob lists what a pattern matches, without folders, in sorted order. Matches that are links come back as they are.
func (c *Config) glob(pattern string) ([]string, error) {
	paths, err := fs.Glob(c.fsys, pattern)
	paths = slices.DeleteFunc(paths, func(p string) bool {
		if !matches(pattern, p) {
			return true
		}
		real, fault := c.follow(p)
		if fault != "" {
			return false
		}
		info, err := fs.Stat(c.fsys, real)
		return err == nil && info.IsDir()
	})
	slices.Sort(paths)
	return paths, err
}

// follow resolves the symbolic links in p. A link's absolute target lies below the root, as it would on the server. Where the
// file system does not show links, p comes back as it is.
func (c *Config) follow(p string) (string, string) {
	links, ok := c.fsys.(fs.ReadLinkFS)
	if !ok {
		return p, ""
	}
	rest := strings.Split(p, "/")
	done := "."
	for n := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		if next == ".." || strings.HasPrefix(next, "../") {
			return "", "the path leaves the root folder"
		}
		rest = rest[1:]
		info, err := links.Lstat(next)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				return path.Join(append([]string{next}, rest...)...), "" // there is nothing to follow behind it
			}
			done = next
			continue
		}
		if n++; n > maxLinks {
			return "", "the path leads through too many symbolic links"
		}
		target, err := links.ReadLink(next)
		if err != nil {
			return "", fmt.Sprintf("the symbolic link %s cannot be read", next)
		}
		if t, absolute := splitAbsolute(target); absolute {
			var fault string
			if target, _, fault = c.locate("/" + t); fault != "" {
				return "", fmt.Sprintf("the symbolic link %s leaves the root folder", next)
			}
			done = "."
		} else if joined := path.Join(done, t); joined == ".." || strings.HasPrefix(joined, "../") {
			return "", fmt.Sprintf("the symbolic link %s leaves the root folder", next)
		} else {
			target, done = joined, "."
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, ""
}
