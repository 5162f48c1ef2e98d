package injecttest

import (
	"fmt"
	"testing"
)

func FuzzUser(f *testing.F) {
	for _, s := range []string{"SMTP_Injection", "SMTP_Injection:X-MSYS-SUBACCOUNT=412", "SMTP_Injection:X-MSYS-SUBACCOUNT=", "SMTP_Injection:X-MSYS-SUBACCOUNT=-1",
		"SMTP_Injection:X-MSYS-SUBACCOUNT=+1", "SMTP_Injection:X-MSYS-SUBACCOUNT=99999999999", "smtp_injection", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := sparkPostUser(s)
		if !ok && n != 0 || n < 0 {
			t.Fatalf("%q gives %d, %v", s, n, ok)
		}
		if again, ok2 := sparkPostUser(fmt.Sprintf("SMTP_Injection:X-MSYS-SUBACCOUNT=%d", n)); ok && (!ok2 || again != n) {
			t.Fatalf("%q gives %d, which gives %d, %v", s, n, again, ok2)
		}
	})
}
