package dkim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// CheckRecord reads the text of one TXT record as [ParseRecord] does, and names
// every mistake it finds instead of the first. What it returns beside the
// findings is the record as it was meant: what to publish instead. It is nil
// when that cannot be told, or the key must not be used any more.
//
// The findings have a [Failure] exactly when ParseRecord refuses the text; what
// is returned, written by its String, is a record that ParseRecord takes. The
// codes, mistakes first:
//
//	record-empty        nothing there
//	record-not-dkim     a TXT record of another kind
//	record-quotes       quotes of a zone file inside the value
//	record-backslash    \; or another escape of a zone file inside the value
//	record-semicolon    a semicolon is missing or there twice
//	record-version      v= twice, not first, or not DKIM1
//	record-duplicate    another tag twice, as in p=DKIM1; p=…
//	record-tag          a part that is no tag, or a tag with an impossible value
//	record-no-key       no p=
//	record-armour       BEGIN and END lines of PEM in p=
//	record-base64       p= is not base64
//	record-cut          p= is cut off, as at 255 bytes
//	record-private-key  the private key in p=
//	record-key          p= does not hold a key of the kind k= names
//	record-revoked      p= is empty
//	record-testing      t=y: verifiers treat a failure as no signature
//	record-hash         h= leaves sha256 out, so that no current signature counts
//	record-service      s= leaves e-mail out
//	record-short        an RSA key below 1024 bits
//	record-old-tag      g=, which RFC 6376 took away
//	record-pkcs1        RSAPublicKey in p=, which some verifiers do not read
//	record-spaces       blanks inside p=, which some verifiers do not skip
func CheckRecord(txt string) (*Record, []Finding) {
	strict, err := ParseRecord(txt)
	if err == nil {
		f := &fixer{record: strict}
		f.remarks(txt)
		return strict, f.findings
	}
	f := &fixer{record: &Record{Algorithm: algRSA}}
	f.read(txt)
	repaired := f.record
	if !f.lost {
		// The repaired record has to pass, or it is none.
		again, err2 := ParseRecord(repaired.String())
		if err2 != nil {
			f.lost = true
		} else {
			f.record = again
			f.remarks("")
		}
	}
	if !slices.ContainsFunc(f.findings, func(f Finding) bool { return f.Severity == Failure }) {
		f.fail("record-tag", reasonOf(err), "publish the record of the key again")
	}
	if f.lost {
		return nil, f.findings
	}
	return f.record, f.findings
}

// reasonOf returns the first half of the reason of an error of this package.
func reasonOf(err error) string {
	if e, ok := err.(*Error); ok {
		reason, _, _ := strings.Cut(e.Reason, ";")
		return reason
	}
	return "the record is malformed"
}

// fixer collects what is wrong with a record, and the record as it was meant.
type fixer struct {
	record   *Record
	findings []Finding
	lost     bool // there is no telling what was meant
}

// add adds a finding, once for each code and message.
func (f *fixer) add(finding Finding) {
	if !slices.Contains(f.findings, finding) {
		f.findings = append(f.findings, finding)
	}
}

func (f *fixer) fail(code, message, hint string) { f.add(Finding{code, Failure, message, hint}) }

// lose is fail for a mistake that leaves no record.
func (f *fixer) lose(code, message, hint string) {
	f.fail(code, message, hint)
	f.lost = true
}

// read takes apart a text that ParseRecord refuses.
func (f *fixer) read(txt string) {
	if strings.Contains(txt, `"`) {
		f.fail("record-quotes", "there are quotes inside the value", "quotes belong around the strings of a zone file; publish the value without them")
		txt = joinStrings(txt)
	}
	if strings.Contains(txt, `\`) {
		f.fail("record-backslash", "there is a backslash inside the value", `\; is the form of a zone file; publish a plain semicolon`)
		txt = strings.ReplaceAll(txt, `\`, "")
	}
	if strings.Trim(txt, fws+";") == "" {
		f.lose("record-empty", "the record is empty", "publish the record of the key")
		return
	}
	tags := f.tags(txt)
	known := slices.ContainsFunc(tags, func(t recordTag) bool {
		return t.name == "p" || t.name == "k" || t.name == "v" && strings.HasPrefix(strings.ToUpper(t.value), "DKIM")
	})
	if !known {
		f.lose("record-not-dkim", "this is a TXT record of another kind", "publish the record of the key at this name, and nothing else")
		return
	}
	values := f.unique(tags)
	f.version(values["v"], tags)
	f.simple(values)
	f.key(values["p"])
}

// joinStrings puts the strings of a zone file together. Text in parentheses is
// taken as a whole entry, of which only the strings count; other text loses its
// quotes, and what is blank between them.
func joinStrings(txt string) string {
	txt = strings.Trim(txt, fws)
	entry := strings.HasPrefix(txt, "(")
	parts := strings.Split(txt, `"`)
	var b strings.Builder
	for i, part := range parts {
		inner := i > 0 && i < len(parts)-1
		if entry && i%2 == 0 || inner && strings.Trim(part, fws) == "" {
			continue
		}
		b.WriteString(part)
	}
	return b.String()
}

// tags splits leniently. A known tag behind a blank inside the value of another
// one begins a new one.
func (f *fixer) tags(txt string) []recordTag {
	var tags []recordTag
	parts := strings.Split(txt, ";")
	for i := 0; i < len(parts); i++ {
		part := strings.Trim(parts[i], fws)
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.Trim(name, fws), strings.Trim(value, fws)
		switch {
		case part == "" && i == len(parts)-1:
			continue
		case part == "":
			f.fail("record-semicolon", "two semicolons follow one another", "take one out")
			continue
		case !ok || name == "" || word(name) != name:
			f.fail("record-tag", "a part between semicolons is no tag", "every part is a tag, as in k=rsa")
			continue
		}
		if at := nextTag(name, value); at >= 0 {
			f.fail("record-semicolon", "a semicolon is missing between two tags", "write one, as in k=rsa; p=…")
			parts[i] = value[at:]
			i--
			value = strings.Trim(value[:at], fws)
		}
		tags = append(tags, recordTag{name, value})
	}
	return tags
}

// nextTag returns where in the value of a tag another tag begins, or -1. In
// notes everything is allowed, and in p= padding looks like a tag.
func nextTag(name, value string) int {
	if name == "n" {
		return -1
	}
	for i := 1; i+1 < len(value); i++ {
		if strings.IndexByte(fws, value[i-1]) >= 0 && strings.IndexByte("vkhstnp", value[i]) >= 0 && value[i+1] == '=' {
			return i
		}
	}
	return -1
}

// unique keeps one value of each tag: of p= the last that holds a key, of the
// others the first.
func (f *fixer) unique(tags []recordTag) map[string]string {
	values := make(map[string]string)
	for _, t := range tags {
		old, twice := values[t.name]
		if !twice {
			values[t.name] = t.value
			continue
		}
		if t.name == "v" {
			f.fail("record-version", "v= is there twice", "keep the one at the beginning")
			continue
		}
		if len(t.name) == 1 && strings.Contains("khstnp", t.name) {
			f.fail("record-duplicate", "the "+t.name+"= tag is there twice", "keep one")
		} else {
			f.fail("record-duplicate", "a tag is there twice", "keep one")
		}
		if _, err := decodeP(old); t.name == "p" && (err != nil || len(old) < len(t.value)) {
			values["p"] = t.value
		}
	}
	if _, ok := values["p"]; !ok {
		f.lose("record-no-key", "there is no p= tag", "publish the public key in one")
	}
	return values
}

func (f *fixer) version(value string, tags []recordTag) {
	first := tags[0].name == "v"
	some := slices.ContainsFunc(tags, func(t recordTag) bool { return t.name == "v" })
	switch {
	case some && value != "DKIM1":
		f.fail("record-version", "the version is not DKIM1", "write v=DKIM1, in capital letters")
	case some && !first:
		f.fail("record-version", "v=DKIM1 is not the first tag", "put it first")
	}
}

// simple reads the tags that are words and lists of words.
func (f *fixer) simple(values map[string]string) {
	if k, ok := values["k"]; ok {
		f.record.Algorithm = strings.ToLower(k)
		if w := word(k); w != k || w == "" {
			f.fail("record-tag", "the k= tag is not a word", "write k=rsa")
			f.record.Algorithm = algRSA
		}
	}
	f.record.Hashes = f.list(values, "h")
	f.record.Services = f.list(values, "s")
	f.record.Flags = f.list(values, "t")
	f.record.Notes = unquoteNotes(values["n"])
}

// list reads the list of one tag; nil when there is none, or nothing in it.
func (f *fixer) list(values map[string]string, name string) []string {
	value, ok := values[name]
	if !ok {
		return nil
	}
	items, err := splitList(name, value)
	if err != nil {
		f.fail("record-tag", reasonOf(err), "leave the tag out")
		return nil
	}
	return items
}

// key reads p=.
func (f *fixer) key(value string) {
	if f.lost {
		return
	}
	if begin := strings.Index(value, "-----BEGIN"); begin >= 0 {
		f.fail("record-armour", "p= holds the BEGIN and END lines of a PEM file", "publish only the base64 between them")
		blocks := findBlocks(value)
		if len(blocks) == 0 || blocks[0].der == nil {
			f.lose("record-base64", "p= is not base64", "copy the public key again")
			return
		}
		f.record.PublicKey = blocks[0].der
	} else {
		der, err := decodeP(value)
		if err != nil {
			if reason := reasonOf(err); strings.Contains(reason, "cut off") {
				f.lose("record-cut", reason, cutHint)
			} else {
				f.lose("record-base64", "p= is not base64", "copy the public key again, without line numbers or other marks")
			}
			return
		}
		f.record.PublicKey = der
	}
	f.kind()
}

const cutHint = "publish the whole value, in strings of at most 255 bytes"

// kind looks at what p= holds, and sets right what k= says about it.
func (f *fixer) kind() {
	der := f.record.PublicKey
	if len(der) == 0 {
		return
	}
	s := readStructure(der)
	if s.kind.private() {
		f.record.PublicKey = nil
		f.lose("record-private-key", "p= holds the PRIVATE key, open to everybody",
			"take the record down, make a new key under a new selector, and publish its public half")
		return
	}
	if need, cut := cutShort(der); cut && len(der) != 32 {
		f.lose("record-cut", fmt.Sprintf("p= is cut off: %d of %d bytes are there", len(der), need), cutHint)
		return
	}
	switch {
	case s.kind == derSPKI || s.kind == derRSAPublic:
		public, err := readPublic(s)
		if err != nil {
			f.lose("record-key", "the public key in p= is damaged or of an unknown kind", "publish the record of the key again")
			return
		}
		want := algRSA
		if public.ed != nil {
			want = algEd25519
			f.fail("record-key", "p= of an Ed25519 key has a header", "publish the bare 32 bytes (RFC 8463 section 4)")
			f.record.PublicKey = bytes.Clone(public.ed)
		}
		f.algorithm(want)
	case len(der) == 32:
		f.algorithm(algEd25519)
	case f.record.Algorithm == algRSA || f.record.Algorithm == algEd25519:
		f.lose("record-key", "p= does not hold a public key", "copy the public key again")
	}
}

func (f *fixer) algorithm(want string) {
	if f.record.Algorithm != want {
		f.fail("record-key", "k= names another kind of key than p= holds", "write k="+want)
		f.record.Algorithm = want
	}
}

// remarks adds what is worth knowing about a record that can be read. The text
// is the one it was read from, "" when it had to be repaired.
func (f *fixer) remarks(txt string) {
	r := f.record
	if len(r.PublicKey) == 0 {
		f.add(Finding{"record-revoked", Warning, "p= is empty: the key is revoked", "publish the public key, or take the key out of use"})
	}
	if slices.Contains(r.Flags, "y") {
		f.add(Finding{"record-testing", Warning, "t=y says that the domain only tests DKIM", "take the flag out once signatures verify"})
	}
	if !allows(r.Hashes, "sha256") {
		f.add(Finding{"record-hash", Warning, "h= does not allow sha256, which signatures use", "add it, or leave the tag out"})
	}
	if !allows(r.Services, "email", "*") {
		f.add(Finding{"record-service", Warning, "s= excludes e-mail", "add email, or leave the tag out"})
	}
	if k := strings.ToLower(r.Algorithm); k != r.Algorithm && (k == algRSA || k == algEd25519) {
		f.add(Finding{"record-tag", Warning, "k= is written with capital letters, which verifiers need not understand", "write k=" + k})
	}
	if s := readStructure(r.PublicKey); r.Algorithm == algRSA && len(r.PublicKey) > 0 {
		if public, err := readPublic(s); err == nil && public.n != nil && public.n.BitLen() < minBits {
			f.add(Finding{"record-short", Warning, fmt.Sprintf("the key has %d bits: receivers ignore it, and it can be factored", public.n.BitLen()),
				"make an RSA key of 2048 bits under a new selector"})
		}
		if s.kind == derRSAPublic {
			f.add(Finding{"record-pkcs1", Info, "p= holds RSAPublicKey, which some verifiers do not read", "publish SubjectPublicKeyInfo, which begins with MII or MIG and is a little longer"})
		}
	}
	tags, err := splitTags(txt)
	if err != nil {
		return
	}
	for _, t := range tags {
		switch {
		case t.name == "g":
			f.add(Finding{"record-old-tag", Info, "g= has no meaning since RFC 6376", "leave the tag out"})
		case t.name == "p" && strings.ContainsAny(t.value, fws):
			f.add(Finding{"record-spaces", Info, "there are blanks inside p=", "publish the value without them; some verifiers do not skip them"})
		}
	}
}
