package inject

import "context"

// CheckTLS connects to a server, goes over to TLS, and says what that is like. Nothing is authenticated and nothing is sent. A certificate
// that does not verify is in the report and no error, whatever [TLS.Mode] says; the mode Off is an error of the kind [ErrInvalid]. The error is
// an [*Error] when there is no TLS at all; then the report is nil, or says as much as is known of a handshake that failed.
func CheckTLS(ctx context.Context, s *Server) (*TLSReport, error) {
	check := *s
	if check.TLS.Mode == Off {
		return nil, invalidf("a check of TLS with the mode off")
	}
	check.Auth, check.QuitAfter, check.TLS.Mode = nil, AtTLS, Require
	r, err := Send(ctx, &check, nil)
	if r.TLS != nil && r.TLS.Version != "" {
		return r.TLS, nil // the goodbye does not matter
	}
	return r.TLS, err
}
