package events

// The limits that zero values of [Limits] stand for.
const (
	maxEvent  = 4 << 20
	maxDepth  = 100
	maxEvents = 100_000
)

// Limits bounds what decoding takes in. Zero fields have the defaults.
type Limits struct {
	// Event is the most bytes of one element, blanks included; 4 MiB by default. Relay messages carry whole mails and may need more.
	Event int
	// Depth is the most levels of arrays and objects within one element, 100 by default.
	Depth int
	// Events is the most events of a [Decode] or of a webhook batch, 100,000 by default. It does not bound a [Decoder].
	Events int
}

func (l *Limits) orDefault() Limits {
	var out Limits
	if l != nil {
		out = *l
	}
	for _, v := range []struct {
		at   *int
		zero int
	}{{&out.Event, maxEvent}, {&out.Depth, maxDepth}, {&out.Events, maxEvents}} {
		if *v.at <= 0 {
			*v.at = v.zero
		}
	}
	return out
}
