package sparkpost

import (
	"context"
	"errors"
)

// round asks DNS, then SparkPost for what is not valid yet. Each subject has its own checks, so that the goroutines do not meet.
func (w *wait) round(ctx context.Context, r Resolver) error {
	if r != nil {
		if err := w.lookUp(ctx, r); err != nil {
			return err
		}
	}
	var open []subject
	for _, s := range w.subjects {
		if w.open(s, "dkim") || w.open(s, "cname") || w.open(s, "certificate") {
			open = append(open, s)
		}
	}
	return each(ctx, open, defaultConcurrency, w.ask)
}

// open reports whether a check is to be made in this round.
func (w *wait) open(s subject, what string) bool {
	i, ok := s.at[what]
	return ok && w.checks[i].Status != Valid && !w.records[i].missing
}

// lookUp asks DNS for the records of what is not valid yet, and notes the answers.
func (w *wait) lookUp(ctx context.Context, r Resolver) error {
	var list []question
	for i, rec := range w.records {
		switch {
		case w.checks[i].Status == Valid:
		case rec.key != nil:
			name, _ := rec.key.Record(rec.signs)
			list = append(list, question{name, "TXT"})
		case rec.cname != "":
			list = append(list, question{rec.cname, "CNAME"})
		}
	}
	if err := w.have.ask(ctx, r, list); err != nil {
		return err
	}
	for i := range w.records {
		rec, c := &w.records[i], &w.checks[i]
		var in presence
		switch {
		case c.Status == Valid:
			continue
		case rec.key != nil:
			in, c.DNS = w.have.hasKey(rec.key, rec.signs)
		case rec.cname != "":
			in, c.DNS = w.have.hasCNAME(rec.cname, rec.targets...)
		default:
			continue
		}
		rec.missing = in == dnsMissing
		if in == dnsPresent {
			c.DNS = "the record is in DNS"
		}
	}
	return nil
}

// ask makes the checks of one subject. What may pass is kept as a problem; the error ends the wait.
func (w *wait) ask(ctx context.Context, s subject) error {
	var err error
	switch s.kind {
	case KindDomain:
		err = w.askDomain(ctx, s)
	case KindKey:
		err = w.askKey(ctx, s)
	default:
		err = w.askTracking(ctx, s)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	if !errors.Is(err, ErrTemporary) && !errors.Is(err, ErrRateLimited) && !(s.kind == KindTracking && errors.Is(err, ErrValidation)) {
		return err
	}
	for what, i := range s.at {
		if w.open(s, what) {
			w.checks[i].Problem = err.Error()
		}
	}
	return nil
}

// note keeps an answer of SparkPost, if it was asked.
func (w *wait) note(s subject, what string, status VerifyStatus, problem string) {
	if i, ok := s.at[what]; ok {
		if status == "" {
			status = Unverified
		}
		w.checks[i].Status, w.checks[i].Problem = status, problem
	}
}

// count notes that SparkPost is asked.
func (w *wait) count(s subject, what string) bool {
	if !w.open(s, what) {
		return false
	}
	w.checks[s.at[what]].Asked++
	return true
}

func (w *wait) askDomain(ctx context.Context, s subject) error {
	r := VerifyRequest{DKIM: w.count(s, "dkim"), CNAME: w.count(s, "cname")}
	v, err := w.c.owner(s.owner).Domains.Verify(ctx, s.key, r)
	if err != nil {
		return err
	}
	if r.DKIM {
		w.note(s, "dkim", v.DKIM, v.DNS.DKIMError)
	}
	if r.CNAME {
		w.note(s, "cname", v.CNAME, v.DNS.CNAMEError)
	}
	return nil
}

func (w *wait) askKey(ctx context.Context, s subject) error {
	w.count(s, "dkim")
	v, err := w.c.owner(s.owner).Domains.Keys(s.domain).Verify(ctx, s.id)
	if err != nil {
		return err
	}
	problem := ""
	if v.DNS != nil {
		problem = v.DNS.Problem
	}
	w.note(s, "dkim", v.Status, problem)
	return nil
}

// askTracking has the CNAME record checked, or looks how far the certificate is once that is valid.
func (w *wait) askTracking(ctx context.Context, s subject) error {
	domains := w.c.owner(s.owner).Tracking
	if w.count(s, "cname") {
		v, err := domains.Verify(ctx, s.key)
		if err != nil {
			return err
		}
		problem := ""
		if v.Compliance != "" && v.Compliance != "valid" {
			problem = "compliance " + v.Compliance
		}
		w.note(s, "cname", trackingVerified(*v), problem)
		if !v.Verified {
			return nil
		}
	}
	if i, ok := s.at["cname"]; ok && w.checks[i].Status != Valid || !w.count(s, "certificate") {
		return nil
	}
	d, err := domains.Get(ctx, s.key)
	if err != nil {
		return err
	}
	problem := ""
	if d.Certificate != nil && d.Certificate.ErrorCode != "" {
		problem = "no certificate: " + d.Certificate.ErrorCode
	}
	w.note(s, "certificate", certificateStatus(d.Status, d.Secure), problem)
	return nil
}
