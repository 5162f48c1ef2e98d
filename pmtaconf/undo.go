package pmtaconf

// change is one step of an edit, with what is needed to take it back.
type change struct {
	op   op
	more bool // the step before belongs to the same edit
	id   lineID
	body bodyID // opUnlink: where the line was,
	prev lineID // and behind which
	old  record // opSet: what the line was; its links do not count
}

type op uint8

const (
	opLink op = iota + 1
	opUnlink
	opSet
)

// edit collects the steps of one edit.
type edit struct {
	*File
	more bool
}

func (f *File) edit() *edit { return &edit{File: f} }

func (t *edit) record(c change) {
	c.more = t.more
	t.more = true
	t.undo = append(t.undo, c)
}

// put makes a line of raw and links it.
func (t *edit) put(b bodyID, after lineID, raw string) lineID {
	id := t.newLine(raw, lexLogical(raw))
	t.handles.grow(len(t.lines), len(t.bodies))
	t.insert(b, after, id)
	return id
}

func (t *edit) insert(b bodyID, after, id lineID) {
	t.link(b, after, id)
	t.record(change{op: opLink, id: id})
}

func (t *edit) remove(id lineID) {
	t.record(change{op: opUnlink, id: id, body: t.holder(id), prev: t.lines[id].prev})
	t.unlink(id)
}

// set gives a line another text, which reads as l.
func (t *edit) set(id lineID, raw string, l lexed) {
	r := &t.lines[id]
	t.record(change{op: opSet, id: id, old: *r})
	off := r.off
	if r.flags&flagEdited != 0 {
		off = t.texts[r.off].off
	}
	t.texts = append(t.texts, newText{raw, off})
	r.off, r.size = uint32(len(t.texts)-1), uint32(len(raw))
	l.flags |= flagEdited | r.flags&(flagUnclosed|flagStray)
	t.fill(r, l, len(raw))
}

// Undo takes the last edit back, so that the file's bytes are those from before it; it reports whether there was one. An edit is
// one call that changed the file, however many lines it changed. There is no limit: a file can be taken back to what Parse read.
func (f *File) Undo() bool {
	n := len(f.undo)
	if n == 0 {
		return false
	}
	for {
		n--
		c := &f.undo[n]
		switch c.op {
		case opLink:
			f.unlink(c.id)
		case opUnlink:
			f.link(c.body, c.prev, c.id)
		case opSet:
			r := &f.lines[c.id]
			r.off, r.size, r.at, r.kind, r.flags = c.old.off, c.old.size, c.old.at, c.old.kind, c.old.flags
		}
		if !c.more {
			break
		}
	}
	f.undo = f.undo[:n]
	return true
}

// Mark stands for the edits in force now, for [File.UndoTo].
func (f *File) Mark() int { return len(f.undo) }

// UndoTo takes back the edits made since Mark gave that value, the last first. If some of them have been undone since, it takes
// back those made after that.
func (f *File) UndoTo(mark int) {
	for len(f.undo) > mark && f.Undo() {
	}
}
