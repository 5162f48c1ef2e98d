package schema

import "strings"

// Path is the name of a file or a folder as the configuration has it, without the quotes around it. The zero value is no valid one.
type Path string

// IsAbs reports whether the path says the whole way from a root: /etc/x, C:\x, \\host\x. Windows paths may have slashes (guide 7.3).
func (p Path) IsAbs() bool {
	return strings.HasPrefix(string(p), "/") || strings.HasPrefix(string(p), `\`) ||
		len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') && isAlnum(p[0]) && !isDigit(p[0])
}

// HasWildcard reports whether the path holds a *, ? or [, which include takes (guide 3.3.1.31).
func (p Path) HasWildcard() bool { return strings.ContainsAny(string(p), "*?[") }

// String gives the path as in a file, in quotes when it holds blanks or commas.
func (p Path) String() string {
	if strings.ContainsAny(string(p), " \t,") {
		return `"` + string(p) + `"`
	}
	return string(p)
}

// ParsePath reads one path, in quotes if it holds blanks. Backslashes are kept as they are: the guide writes them single without
// quotes (3.3.1.37.2), and both single and doubled inside (11.3).
func ParsePath(s string) (Path, error) {
	v, e := parsePath(whole(s))
	return v, fail("path", e)
}

func parsePath(t text) (Path, *ValueError) {
	const want = "a path"
	inner := t.unquote()
	if inner.s == "" {
		return "", inner.wrong(want)
	}
	if e := inner.plain(); e != nil {
		return "", e
	}
	for i := range len(inner.s) {
		switch c := inner.s[i]; {
		case c == '"':
			return "", inner.finding(ErrSyntax, i, i+1, "one path without quotes inside")
		case isBlank(c) && !t.quoted():
			return "", inner.finding(ErrSyntax, i, len(inner.s), "one path; quotes go around one with blanks")
		}
	}
	return Path(inner.s), nil
}
