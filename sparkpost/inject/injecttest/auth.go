package injecttest

import (
	"crypto/subtle"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
)

// loginServer is the server of the mechanism LOGIN, with the user name in the first answer or with the command.
type loginServer struct {
	prompts [2]string
	check   func(user, password string) error
	user    *string
	done    bool
}

// Next takes an answer. A nil one is the command by itself.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case l.done:
		return nil, false, sasl.ErrUnexpectedClientResponse
	case l.user == nil && response == nil:
		return []byte(l.prompts[0]), false, nil
	case l.user == nil:
		user := string(response)
		l.user = &user
		return []byte(l.prompts[1]), false, nil
	}
	l.done = true
	err = l.check(*l.user, string(response))
	return nil, err == nil, err
}

// authenticate looks a user up. With SparkPost, the subaccount is that of the key or of the user name.
func (s *Sink) authenticate(user, password string) (subaccount int, ok bool) {
	suffix, right := 0, true
	if s.cfg.SparkPost {
		suffix, right = sparkPostUser(user)
	}
	for _, a := range s.cfg.Accounts {
		if !s.cfg.SparkPost && a.User != user || subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) != 1 {
			continue
		}
		if s.cfg.SparkPost && a.Subaccount != 0 {
			// A key of a subaccount goes with the plain name. What it does with a suffix is not documented: its own is let through.
			return a.Subaccount, right && (suffix == 0 || suffix == a.Subaccount)
		}
		return suffix, right
	}
	return 0, false
}

// sparkPostUser reads SMTP_Injection, with or without a subaccount.
func sparkPostUser(user string) (subaccount int, ok bool) {
	rest, ok := strings.CutPrefix(user, "SMTP_Injection")
	if !ok || rest == "" {
		return 0, ok
	}
	digits, ok := strings.CutPrefix(rest, ":X-MSYS-SUBACCOUNT=")
	n, err := strconv.ParseInt(digits, 10, 32)
	if !ok || err != nil || n < 0 || strings.HasPrefix(digits, "+") {
		return 0, false
	}
	return int(n), true
}
