package dkim

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// CheckFile judges who can read or exchange a key file, by the mode of the file
// and of every directory above it up to the root of fsys, and how old it is.
// Symbolic links are followed as far as they stay inside fsys and it lets them
// be seen, and the directories on both ways count. fsys should therefore be the
// root of the machine, as of os.DirFS("/"). Owners are not looked at.
//
// A file last written more than maxAge before now is reported; a zero maxAge or
// now reports no age. The codes:
//
//	file-mode       the file can be read or written by others than its owner
//	directory-mode  a directory on the way can be written by others
//	file-age        the key is older than maxAge
//	file-link       a link leads out of fsys, and what is there was not looked at
//	file-unknown    the file system does not tell the mode
func CheckFile(fsys fs.FS, name string, now time.Time, maxAge time.Duration) []Finding {
	w := &walk{fsys: fsys, seen: make(map[string]bool)}
	real, ok := w.resolve(name)
	if !ok {
		return w.findings
	}
	info, err := fs.Stat(fsys, real)
	if err != nil {
		return append(w.findings, unknownMode())
	}
	list := append(checkMode(info.Mode()), w.findings...)
	if age := now.Sub(info.ModTime()); maxAge > 0 && !now.IsZero() && !info.ModTime().IsZero() && age > maxAge {
		list = append(list, Finding{"file-age", Warning, fmt.Sprintf("the file was written %d days ago", int(age.Hours()/24)),
			"plan a new key under a new selector; keys are best changed every few months"})
	}
	return list
}

func unknownMode() Finding {
	return Finding{"file-unknown", Info, "the file system does not tell who may read the file", "look at its mode by hand"}
}

func checkMode(mode fs.FileMode) []Finding {
	const hint = "give the file mode 0600, and to the user that the mail server runs as"
	switch {
	case mode&0o022 != 0:
		return []Finding{{"file-mode", Failure, fmt.Sprintf("others than the owner can write the file (mode %04o): they can exchange the key", mode.Perm()), hint}}
	case mode&0o004 != 0:
		return []Finding{{"file-mode", Failure, fmt.Sprintf("everybody on the machine can read the file (mode %04o)", mode.Perm()), hint}}
	case mode&0o040 != 0:
		return []Finding{{"file-mode", Warning, fmt.Sprintf("the group can read the file (mode %04o)", mode.Perm()),
			"make sure that the group has no other members than the mail server, or give the file mode 0600"}}
	}
	return nil
}

// walk goes down a path, link by link.
type walk struct {
	fsys     fs.FS
	seen     map[string]bool // directories
	links    int
	findings []Finding
}

// maxLinks is how many links of one path are followed.
const maxLinks = 40

// resolve returns name without links, and judges the directories on the way.
// ok is false when the way cannot be followed to its end.
func (w *walk) resolve(name string) (real string, ok bool) {
	if !fs.ValidPath(name) {
		w.findings = append(w.findings, unknownMode())
		return "", false
	}
	at, rest := ".", name
	w.directory(at)
	for rest != "" {
		part, after, _ := strings.Cut(rest, "/")
		here := path.Join(at, part)
		rest = after
		info, err := fs.Lstat(w.fsys, here)
		if err != nil {
			w.findings = append(w.findings, unknownMode())
			return "", false
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := fs.ReadLink(w.fsys, here)
			if w.links++; err != nil || w.links > maxLinks {
				w.findings = append(w.findings, unknownMode())
				return "", false
			}
			full := path.Join(at, target, rest)
			if path.IsAbs(target) {
				full = strings.TrimPrefix(path.Join(target, rest), "/")
			}
			if !fs.ValidPath(full) {
				w.findings = append(w.findings, Finding{"file-link", Info, "a link on the way to the file leads out of the folder that was given",
					"look at the modes of the directories on its way by hand"})
				return "", false
			}
			at, rest = ".", full
			continue
		}
		if rest != "" || info.IsDir() {
			w.directory(here)
		}
		at = here
	}
	return at, true
}

// directory judges a directory once. A sticky one, as /tmp, keeps others from
// exchanging a file that is not theirs.
func (w *walk) directory(name string) {
	if w.seen[name] {
		return
	}
	w.seen[name] = true
	info, err := fs.Stat(w.fsys, name)
	if err != nil || info.Mode()&0o022 == 0 || info.Mode()&fs.ModeSticky != 0 {
		return
	}
	f := Finding{"directory-mode", Warning, fmt.Sprintf("the group can write the directory %s (mode %04o) and so exchange the key", show(name), info.Mode().Perm()),
		"take the right to write from the group: chmod g-w"}
	if info.Mode()&0o002 != 0 {
		f = Finding{"directory-mode", Failure, fmt.Sprintf("everybody can write the directory %s (mode %04o) and so exchange the key", show(name), info.Mode().Perm()),
			"take the right to write from the others: chmod o-w"}
	}
	w.findings = append(w.findings, f)
}

// show names a directory as seen from the root of the file system.
func show(name string) string { return path.Join("/", name) }
