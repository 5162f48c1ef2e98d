package cli

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress is a bar with rate and time left. It shows on a terminal alone; the zero and the nil Progress show nothing.
type Progress struct {
	all *mpb.Progress
	bar *mpb.Bar
}

// NewProgress starts a bar of so many steps on w, if w is a terminal.
func NewProgress(w io.Writer, title string, total int) *Progress {
	if !IsTerminal(w) || total <= 0 {
		return nil
	}
	all := mpb.New(mpb.WithOutput(w), mpb.WithWidth(48))
	bar := all.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(title+" "), decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(decor.AverageSpeed(0, "%.0f/s "), decor.AverageETA(decor.ET_STYLE_GO)))
	return &Progress{all, bar}
}

// NewByteProgress starts a bar of so many bytes on w, if w is a terminal.
func NewByteProgress(w io.Writer, title string, total int64) *Progress {
	if !IsTerminal(w) || total <= 0 {
		return nil
	}
	all := mpb.New(mpb.WithOutput(w), mpb.WithWidth(48))
	bar := all.AddBar(total,
		mpb.PrependDecorators(decor.Name(title+" "), decor.CountersKibiByte("% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1024(0), "% .1f "), decor.AverageETA(decor.ET_STYLE_GO)))
	return &Progress{all, bar}
}

// Step moves the bar on.
func (p *Progress) Step() {
	if p != nil && p.bar != nil {
		p.bar.Increment()
	}
}

// Add moves the bar on by n.
func (p *Progress) Add(n int) {
	if p != nil && p.bar != nil {
		p.bar.IncrBy(n)
	}
}

// Done ends the bar, also when it is not full.
func (p *Progress) Done() {
	if p != nil && p.bar != nil {
		p.bar.Abort(false)
		p.all.Wait()
	}
}
