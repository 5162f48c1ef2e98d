package warmup

import "fmt"

const (
	// doneStage is the value of Day.Stage once SparkPost's 29 stages are passed.
	doneStage = 30
	// stillDays is the number of days without progress after which SparkPost
	// switches automatic warm-up off.
	stillDays = 10
	// sharedPool and defaultPool are names that SparkPost gives.
	sharedPool, defaultPool = "shared pool", "default"
)

// Auto is the state of SparkPost's automatic warm-up of IPs that share their
// pool's mail evenly. It is a plain value: [Auto.After] gives the next day's.
// The rules are those of SparkPost's support article and API documentation. The
// zero value with IPs set is a set of new IPs in a pool without overflow.
type Auto struct {
	// IPs is the number of addresses. [Plan] fills it in.
	IPs int `json:"ips"`
	// Stage is the stage they are at, 1 to 29, or 30 when all are passed. 0 means 1.
	Stage int `json:"stage,omitempty"`
	// Still is the number of days since the stage last changed.
	Still int `json:"still,omitempty"`
	// Off is true once SparkPost has switched the warm-up off: no stage limits
	// the IPs any more.
	Off bool `json:"off,omitempty"`
	// Pool is the name of the IPs' pool. It matters for the one called "default",
	// which can overflow to the "shared pool" only. May be empty.
	Pool string `json:"pool,omitempty"`
	// Overflow names the pool that takes what is over the stage. Empty means
	// none: the cold IPs then carry that too.
	Overflow string `json:"overflow,omitempty"`
	// Aged is true when an engagement age is set for the account, by which
	// automatic warm-up is never switched off.
	Aged bool `json:"aged,omitempty"`
}

func (a Auto) validate() error {
	switch {
	case a.Stage < 0 || a.Stage > doneStage:
		return &Error{Field: "Auto.Stage", Reason: fmt.Sprintf("stage %d; there are 1 to 29, and 30 for done", a.Stage)}
	case a.Still < 0:
		return &Error{Field: "Auto.Still", Reason: fmt.Sprintf("%d days without progress", a.Still)}
	case a.Pool == defaultPool && a.Overflow != "" && a.Overflow != sharedPool:
		return &Error{Field: "Auto.Overflow", Reason: fmt.Sprintf("the pool %q can overflow to the %q only", defaultPool, sharedPool)}
	case a.Pool != "" && a.Pool == a.Overflow:
		return &Error{Field: "Auto.Overflow", Reason: "a pool cannot be its own overflow pool"}
	}
	return nil
}

// stage is what a Day shows.
func (a Auto) stage() int {
	if a.Off {
		return 0
	}
	return max(a.Stage, 1)
}

// Limit returns what the IPs may send together on their stage's day, or
// math.MaxInt64 when no stage limits them.
func (a Auto) Limit() int64 {
	stage := a.stage()
	if stage < 1 || stage >= doneStage {
		return maxMessages
	}
	return times(sparkpostCaps()[stage-1], max(a.IPs, 1))
}

// After returns the state after a day on which the pool was sent so many
// messages, planned or counted. Delivered is how many the IPs themselves
// delivered; it is cut to what they were given. Overflow is how many were over
// the stage's limit. Warnings say what does not go as the stages mean it.
//
// More than 90 % of the stage's volume delivered is one stage up. After 10 days
// on a stage above the first, SparkPost switches the warm-up off, unless an
// engagement age is set.
func (a Auto) After(sent, delivered int64) (next Auto, overflow int64, warnings []string) {
	stage, limit := a.stage(), a.Limit()
	if limit == maxMessages {
		return a, 0, nil
	}
	a.Stage = stage
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if overflow = max(sent-limit, 0); overflow > 0 {
		if a.Overflow == "" {
			warn("%s messages over the %s of stage %d, and no overflow pool: the cold IPs carry them", grouped(overflow), grouped(limit), stage)
		} else {
			warn("%s messages over the %s of stage %d go to %s", grouped(overflow), grouped(limit), stage, a.Overflow)
			sent = limit
		}
	}
	if 10*min(delivered, sent, limit) > 9*limit {
		a.Stage, a.Still = stage+1, 0
		return a, overflow, warnings
	}
	a.Still++
	if stage == 1 || a.Aged {
		return a, overflow, warnings
	}
	if a.Still >= stillDays {
		a.Off = true
		warn("stage %d has not moved for %d days: SparkPost switches automatic warm-up off, and nothing limits the IPs", stage, a.Still)
	} else if sent > 0 {
		warn("not above 90 %% of stage %d's %s: the stage stays, day %d of %d", stage, grouped(limit), a.Still, stillDays)
	}
	return a, overflow, warnings
}
