package pmtaconf

// File is one configuration file as a tree. The zero File is not usable, Parse makes one.
//
// What an edit does not touch is printed byte for byte as it was read.
type File struct {
	Body
	path    string
	bom     string
	src     string // what Parse read, without the byte order mark
	eol     string // the line end of the first line, which new lines take
	lines   []record
	bodies  []bodyRecord
	texts   []newText
	long    [][4]int // the offsets that do not fit into a record
	handles handles
	diags   ErrorList
	undo    []change
}

const byteOrderMark = "\xef\xbb\xbf"

// Name is the name given to Parse, or the path that Load read the file from.
func (f *File) Name() string { return f.path }

// Diagnostics are all findings of Parse in the order of their positions. They speak of the source as it was parsed, not of later
// edits.
func (f *File) Diagnostics() ErrorList { return f.diags }

// Edited reports whether edits are in force that have not been undone.
func (f *File) Edited() bool { return len(f.undo) > 0 }

// Source is what Parse read.
func (f *File) Source() []byte { return []byte(f.bom + f.src) }
