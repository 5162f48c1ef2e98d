package inject

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	userName   = "SMTP_Injection"
	userSuffix = ":X-MSYS-SUBACCOUNT="
)

// UserName returns the user name for SparkPost's relay with the key of the primary account: for 0 that of the account itself, as with a
// subaccount's own key; for a larger number that of the subaccount, as "SMTP_Injection:X-MSYS-SUBACCOUNT=1053". A number below 0 or above
// 2147483647 is an error of the kind [ErrInvalid].
func UserName(subaccount int) (string, error) {
	switch {
	case subaccount == 0:
		return userName, nil
	case subaccount < 0 || int64(subaccount) > 1<<31-1:
		return "", invalidf("subaccount %d", subaccount)
	}
	return userName + userSuffix + strconv.Itoa(subaccount), nil
}

// ParseUserName reads what [UserName] gives, and returns the subaccount. Other names are an error of the kind [ErrInvalid], also when a
// server might take them: with other capitals, with blanks, with leading zeros.
func ParseUserName(name string) (subaccount int, err error) {
	rest, ok := strings.CutPrefix(name, userName)
	if ok && rest == "" {
		return 0, nil
	}
	digits, ok2 := strings.CutPrefix(rest, userSuffix)
	n, err := strconv.ParseInt(digits, 10, 32)
	if !ok || !ok2 || err != nil || n <= 0 || strconv.FormatInt(n, 10) != digits {
		return 0, &Error{Stage: AtStart, Exit: ExitInput, Err: &kindError{ErrInvalid,
			fmt.Sprintf("user name %.80q is not %s, or %s%s and a number", name, userName, userName, userSuffix), nil}}
	}
	return int(n), nil
}
