package split

import (
	"fmt"
	"math/big"
	"strings"
)

// maxShareText bounds the text ParseShare reads, so that a share from an
// untrusted file costs little.
const maxShareText = 256

// ParseShare reads a share between 0 and 1 exactly. It accepts a percentage
// ("10%", "12.5 %"), a fraction ("1/3") and a decimal below 1 ("0.07"); blanks
// around the text are ignored.
//
// A bare number of 1 or more is refused: "1" may mean one percent or
// everything, and a wrong guess moves the whole stream. Signs, exponents and
// decimal commas are refused as well. The error is an [*Error] holding the text.
func ParseShare(s string) (*big.Rat, error) {
	t := strings.TrimSpace(s)
	if len(t) > maxShareText {
		return nil, shareError(t[:16]+"...", fmt.Sprintf("has more than %d characters; round it", maxShareText))
	}
	if a, b, ok := strings.Cut(t, "/"); ok {
		if !digits(a) || !digits(b) {
			return nil, shareError(t, `is not a fraction of two whole numbers such as "1/3"`)
		}
		num, _ := new(big.Int).SetString(a, 10)
		den, _ := new(big.Int).SetString(b, 10)
		if den.Sign() == 0 {
			return nil, shareError(t, "divides by zero")
		}
		return inUnit(t, new(big.Rat).SetFrac(num, den))
	}
	number, percent := strings.CutSuffix(t, "%")
	if percent {
		number = strings.TrimRight(number, " \t")
	}
	whole, frac, point := strings.Cut(number, ".")
	if !digits(whole) || point && !digits(frac) {
		return nil, shareError(t, `is not a share; write "10%", "12.5%", "1/3" or "0.07"`)
	}
	r, _ := new(big.Rat).SetString(number)
	if percent {
		return inUnit(t, r.Quo(r, big.NewRat(100, 1)))
	}
	if r.Cmp(one()) >= 0 {
		return nil, shareError(t, fmt.Sprintf(`may mean percent or a multiple; write "%s%%" or "%s/100"`, number, whole))
	}
	return r, nil
}

// FormatShare writes p as a percentage when six decimals hold it exactly
// ("12.5%"), and as a fraction otherwise ("1/3"). For every share it returns,
// ParseShare(FormatShare(p)) gives p back. It also writes values that are no
// shares, such as the signed errors of a [Pool]: "-0.5%". A nil p gives "".
func FormatShare(p *big.Rat) string {
	if p == nil {
		return ""
	}
	hundred := new(big.Rat).Mul(p, big.NewRat(100, 1))
	if !new(big.Rat).Mul(hundred, big.NewRat(1_000_000, 1)).IsInt() {
		return p.RatString()
	}
	t := strings.TrimRight(hundred.FloatString(6), "0")
	return strings.TrimSuffix(t, ".") + "%"
}

// Error reports a request that cannot be met, with what a program needs to
// mend it.
type Error struct {
	// Member names the pool member at fault, or its index when the caller gave
	// no names. It is empty when the fault lies elsewhere.
	Member string
	// Text is the input that was refused; only ParseShare sets it.
	Text string
	// Reason says in one line what is wrong and what to do.
	Reason string
	// Smallest is the smallest share above 0 that the allowed lines can express.
	// It is nil unless a member's positive share came out as 0 lines.
	Smallest *big.Rat
	// Need is a number of lines that would give each member with a positive
	// share a line. It is 0 when lines are not the fault, or when no pool of up
	// to 10,000 lines would do.
	Need int
}

// Error returns Reason with the package's name before it.
func (e *Error) Error() string { return "split: " + e.Reason }

func shareError(text, what string) error {
	return &Error{Text: text, Reason: fmt.Sprintf("share %q %s", text, what)}
}

func inUnit(text string, r *big.Rat) (*big.Rat, error) {
	if r.Cmp(one()) > 0 {
		return nil, shareError(text, "is above 100%")
	}
	return r, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func one() *big.Rat { return big.NewRat(1, 1) }
