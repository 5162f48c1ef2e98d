// Package pmtaconf reads, edits and writes configuration files of PowerMTA (PMTA) without losing a byte.
//
// A file becomes a tree of lines: directives, scopes, comments, blank lines, and lines that could not be understood. The raw text
// of each line is the truth; accessors slice it, and an edit replaces just the part it names. [Load] reads a main file with all
// that it includes, [Config.Diff] shows what was changed, [Config.Save] writes the changed files safely.
//
// # Guarantees
//
//   - Parse(b).Bytes() equals b, for every byte string. Parse never fails to give a tree, never hangs, and needs time and memory
//     linear in its input: mixed line ends, NUL bytes, lines of megabytes and nesting without bound included.
//   - An edit changes the lines it names and no other byte. [File.Undo] takes it back, byte for byte.
//   - A setter refuses text that would read back as something else: a second line, a comment, a tag.
//   - A diagnostic points at the bytes it speaks of. A fault is reported once, and nothing is reported about a comment.
//   - Loading and saving without an edit writes no file. Saving after an edit replaces just the files that were edited, each in one
//     step, with its mode and owner.
//   - Values that hold passwords and keys are masked in diffs and snippets unless asked for.
//
// # What is read
//
// The guide describes the language by example; where it is silent, real files decide what is accepted, and a Warning says what was
// assumed.
//
//	file       = *( line end-of-line )
//	line       = directive | open | close | entry-open | entry | comment | blank
//	directive  = keyword [ value ]
//	open       = "<" name [ argument ] ">"
//	close      = "</" name [ argument ] ">"
//	entry-open = ( "header" | "mail-from" | "rcpt-to" | "*" ) value "<pattern-list>"
//	entry      = ( "*" | "/" pattern "/" ) value
//	comment    = "#" and what follows, anywhere on a line, in quotes and patterns too
//
// LF and CRLF end a line. Keywords and tag names are compared without regard to case, names exactly. Beyond the guide, a domain-macro
// list that ends in a comma or has not begun goes on on the next line, and a pattern whose second slash stands on one of the
// next lines is read as one; both are reported.
//
// # Codes of diagnostics
//
// Of Parse: broken-tag, close-argument, deep-nesting, junk-after-tag, lone-cr, misspelled-close, missing-slash, not-a-directive,
// not-utf8, nul-byte, one-line-scope, placeholder, stray-close, stray-list, too-large, too-many-findings, unclosed-pattern,
// unclosed-scope, unfinished-list, wrapped-list, wrapped-pattern.
//
// Of Load: bad-wildcard, include-cycle, include-depth, include-explosion, include-no-match, include-scope, missing-file,
// outside-root, relative-include, too-large, unreadable-file.
package pmtaconf
