package schema_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestBoolean(t *testing.T) { // guide 3.2
	t.Parallel()
	run(t, schema.ParseBoolean, []parserCase{
		{in: "yes", want: "yes"},
		{in: "true", want: "yes"},
		{in: "no", want: "no"},
		{in: "false", want: "no"},
		{in: `"Yes"`, want: "yes"},
		{in: "  TRUE ", want: "yes"},
		{in: "", err: "0-0 missing"},
		{in: "on", err: "0-2 syntax"},
		{in: " 1", err: "1-2 syntax"},
		{in: "yes no", err: "0-6 syntax"},
	})
}

func TestInterval(t *testing.T) { // guide 3.2
	t.Parallel()
	run(t, schema.ParseInterval, []parserCase{
		{in: "1w2d12h", want: "9d12h"},
		{in: "300s", want: "5m"},
		{in: "4d12h", want: "4d12h"},
		{in: "90m", want: "1h30m"},
		// 3.3.10.78, 6.3.15
		{in: "0", want: "0s"},
		{in: "600", want: "10m"},
		{in: "never", want: "never"},
		{in: "Never", want: "never"},
		// SILENT
		{in: "1M", want: "1m"},
		{in: "1s1d", want: "1d1s"},
		{in: "1h1h", want: "2h"},
		{in: `"10m"`, want: "10m"},
		{in: "9223372036s", want: "106751d23h47m16s"},
		{in: "", err: "0-0 missing"},
		{in: "m", err: "0-1 syntax"},
		{in: "10y", err: "2-3 syntax"},
		{in: "10min", err: "2-5 syntax"},
		{in: "1h30", err: "4-4 missing"},
		{in: "1 h", err: "1-3 syntax"},
		{in: "-1m", err: "0-3 syntax"},
		{in: "1h,2h", err: "2-5 syntax"},
		{in: "9223372037s", err: "0-11 range"},
		{in: "99999999999999999999d", err: "0-21 range"},
		{in: "20000w", err: "0-6 range"},
		{in: "9223372036s1s", err: "0-13 range"},
	})
	if d, ok := schema.Interval(90).Duration(); !ok || d != 90*time.Second {
		t.Errorf("duration %v, %v", d, ok)
	}
	if _, ok := schema.Never.Duration(); ok {
		t.Error("never has a duration")
	}
}

func TestIntervals(t *testing.T) { // guide 3.3.10.39, 10.15
	t.Parallel()
	thirty := strings.TrimSuffix(strings.Repeat("1m,", 30), ",")
	run(t, schema.ParseIntervals, []parserCase{
		{in: "10m,10m,1h", want: "10m,10m,1h"},
		{in: "3600", want: "1h"},
		{in: thirty, want: thirty},
		{in: thirty + ",2m", err: "90-92 range"},
		{in: "10m, 1h", err: "4-5 syntax"},
		{in: "10m,", err: "4-4 missing"},
		{in: "", err: "0-0 missing"},
		{in: "10m,never", err: "4-9 syntax"},
		{in: "10m,x", err: "4-5 syntax"},
	})
	list := schema.Intervals{60, 120}
	for n, want := range map[int]schema.Interval{-1: 60, 0: 60, 1: 60, 2: 120, 9: 120} {
		if got := list.At(n); got != want {
			t.Errorf("retry %d waits %v, want %v", n, got, want)
		}
	}
	if schema.Intervals(nil).At(1) != 0 || schema.DailyLimits(nil).On(1) != 0 {
		t.Error("an empty list has entries")
	}
}

func TestSize(t *testing.T) { // guide 3.3.2.4, 3.3.11.4
	t.Parallel()
	run(t, schema.ParseSize, []parserCase{
		{in: "1M", want: "1M"},
		{in: "1024K", want: "1M"},
		{in: "1048576b", want: "1M"},
		{in: "250m", want: "250M"},
		{in: "1536k", want: "1536K"},
		{in: "0", want: "0"},
		{in: "1000", want: "1000b"},
		{in: "1025T", want: "1025T"},
		{in: "unlimited", want: "unlimited"},
		{in: "8388607t", want: "8388607T"},
		{in: "0g", want: "0"},
		{in: "8388608t", err: "0-8 range"},
		{in: "99999999999999999999", err: "0-20 range"},
		{in: "", err: "0-0 missing"},
		{in: "10MB", err: "2-4 syntax"},
		{in: "M", err: "0-1 syntax"},
		{in: "1.5G", err: "1-4 syntax"},
		{in: "-1", err: "0-2 syntax"},
	})
	if v, _ := schema.ParseSize("3k"); v != 3072 {
		t.Errorf("3k is %d bytes", v)
	}
}

func TestRate(t *testing.T) { // guide 3.3.10.33
	t.Parallel()
	run(t, schema.ParseRate, []parserCase{
		{in: "100/15m", want: "100/15m"},
		{in: "100/h", want: "100/h"},
		{in: "100/hr", want: "100/h"},
		{in: "5/sec", want: "5/s"},
		{in: "5/s", want: "5/s"},
		{in: "7/min", want: "7/m"},
		{in: "7/day", want: "7/d"},
		{in: "7/2d", want: "7/2d"},
		{in: "7/60m", want: "7/h"},
		{in: "7/90s", want: "7/90s"},
		{in: "0", want: "unlimited"},
		{in: "unlimited", want: "unlimited"},
		{in: "Unlimited", want: "unlimited"},
		{in: "9/H", want: "9/h"},
		{in: "0/h", err: "0-1 range"},
		{in: "10/0m", err: "3-4 range"},
		{in: "10", err: "2-2 missing"},
		{in: "10/", err: "3-3 missing"},
		{in: "10/week", err: "3-7 syntax"},
		{in: "10/w", err: "3-4 syntax"},
		{in: "10 /h", err: "2-5 syntax"},
		{in: "/h", err: "0-2 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "10/15", err: "5-5 missing"},
		{in: "99999999999999999999/h", err: "0-20 range"},
		{in: "1/99999999999d", err: "2-14 range"},
	})
	if v, _ := schema.ParseRate("100/15m"); v != (schema.Rate{Count: 100, Per: 900}) || v.IsUnlimited() {
		t.Errorf("100/15m is %+v", v)
	}
}

func TestDataRate(t *testing.T) { // guide 3.3.10.37
	t.Parallel()
	run(t, schema.ParseDataRate, []parserCase{
		{in: "10M/15m", want: "10M/15m"},
		{in: "1048576/h", want: "1M/h"},
		{in: "5g/day", want: "5G/d"},
		{in: "unlimited", want: "unlimited"},
		{in: "0", want: "unlimited"},
		{in: "10 M / h", want: "10M/h"},
		{in: "100/s", want: "100b/s"},
		{in: "10M", err: "3-3 missing"},
		{in: "0M/h", err: "0-2 range"},
		{in: "10X/h", err: "2-3 syntax"},
		{in: "10M/w", err: "4-5 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "M/h", err: "0-3 syntax"},
		{in: "10 X/h", err: "3-4 syntax"},
		{in: "9999999999 t/h", err: "0-12 range"},
		{in: "unlimited/h", err: "0-11 syntax"},
	})
}

func TestDailyLimits(t *testing.T) { // guide 3.3.10.48, 10.7.1
	t.Parallel()
	run(t, schema.ParseDailyLimits, []parserCase{
		{in: "1/day,2/day,3/d", want: "1/d,2/d,3/d"},
		{in: "0/d", want: "0/d"},
		{in: "10/d, 20/D", want: "10/d,20/d"},
		{in: "10", err: "2-2 missing"},
		{in: "10/h", err: "2-4 syntax"},
		{in: "10/d,", err: "5-5 missing"},
		{in: "", err: "0-0 missing"},
		{in: "/d", err: "0-2 syntax"},
		{in: "99999999999999999999/d", err: "0-22 range"},
	})
	if v, _ := schema.ParseDailyLimits("10/d,20/d"); v.On(1) != 10 || v.On(2) != 20 || v.On(40) != 20 {
		t.Errorf("limits %v", v)
	}
}

func TestEnum(t *testing.T) {
	t.Parallel()
	if got, err := schema.ParseEnum(` "Plain-Text"`, "standard", "plain-text"); err != nil || got != "plain-text" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := schema.ParseEnum(" html", "standard", "plain-text")
	if finding(err) != "1-5 syntax" || !strings.HasSuffix(err.Error(), "expected standard, plain-text") {
		t.Errorf("%v", err)
	}
}

// prefix gives a network the methods of the other values.
func prefix(s string) (netip.Prefix, error) { return schema.ParseCIDR(s) }

func TestCIDR(t *testing.T) { // guide 3.3.7, 3.3.1.38.2
	t.Parallel()
	run(t, prefix, []parserCase{
		{in: "10/8", want: "10.0.0.0/8"},
		{in: "173.194/16", want: "173.194.0.0/16"},
		{in: "0/0", want: "0.0.0.0/0"},
		{in: "10.0.0.5", want: "10.0.0.5/32"},
		{in: "192.0.2.1/24", want: "192.0.2.1/24"},
		{in: "::1", want: "::1/128"},
		{in: "2001:db8::/32", want: "2001:db8::/32"},
		{in: `"10/8"`, want: "10.0.0.0/8"},
		{in: "10.0.0.0/33", err: "9-11 range"},
		{in: "10/", err: "3-3 missing"},
		{in: "10", err: "0-2 syntax"},
		{in: "10/x", err: "3-4 syntax"},
		{in: "10/8/8", err: "3-6 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "/8", err: "0-0 missing"},
		{in: "300/8", err: "0-3 syntax"},
		{in: "1.2.3.4.5/8", err: "0-9 syntax"},
		{in: "010.0.0.1", err: "0-9 syntax"},
		{in: "fe80::1%eth0", err: "0-12 syntax"},
		{in: "10/08", err: "3-5 syntax"},
		{in: "::/129", err: "3-6 range"},
		{in: "10/99999999999999999999", err: "3-23 range"},
	})
}

func TestListener(t *testing.T) { // guide 3.3.1.20
	t.Parallel()
	run(t, schema.ParseListener, []parserCase{
		{in: "0.0.0.0:25", want: "0.0.0.0:25"},
		{in: "0/0:2525", want: "0.0.0.0/0:2525"},
		{in: "192.0.2.1:25 source=feed", want: "192.0.2.1:25 source=feed"},
		{in: "[2001:db8::1]:25", want: "[2001:db8::1]:25"},
		{in: "[::/0]:25", want: "[::/0]:25"},
		{in: "0/0:465 tls=yes", want: "0.0.0.0/0:465 tls=yes"},
		{in: "0/0:465\ttls=no  source={auth}", want: "0.0.0.0/0:465 source={auth} tls=no"},
		{in: "25", err: "0-2 syntax"},
		{in: "0.0.0.0", err: "0-7 syntax"},
		{in: "0.0.0.0:", err: "8-8 missing"},
		{in: "0.0.0.0:smtp", err: "8-12 syntax"},
		{in: "0.0.0.0:65536", err: "8-13 range"},
		{in: "::1:25", err: "0-6 syntax"},
		{in: "host:25", err: "0-4 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "0/0:25 source=", err: "7-14 syntax"},
		{in: "0/0:25 source=a source=b", err: "16-24 syntax"},
		{in: "0/0:25 tls=maybe", err: "11-16 syntax"},
		{in: "0/0:25 fast", err: "7-11 syntax"},
	})
}

func TestSourceHost(t *testing.T) { // guide 3.3.1.16
	t.Parallel()
	run(t, schema.ParseSourceHost, []parserCase{
		{in: "192.0.2.1 mta1.example.com", want: "192.0.2.1 mta1.example.com"},
		{in: "10/8   mta", want: "10.0.0.0/8 mta"},
		{in: "2001:db8::1 m.example", want: "2001:db8::1 m.example"},
		{in: "192.0.2.1", err: "9-9 missing"},
		{in: "mta1.example.com 192.0.2.1", err: "0-16 syntax"},
		{in: "192.0.2.1 a b", err: "12-13 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "192.0.2.1 a..b", err: "12-13 syntax"},
		{in: "mta1 mta2", err: "0-4 syntax"},
	})
	_, err := schema.ParseSourceHost("mta1.example.com 192.0.2.1")
	if want := "smtp-source-host: wrong form at byte 0: expected the address in front of the host name"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAccess(t *testing.T) { // guide 3.3.1.36.3
	t.Parallel()
	run(t, schema.ParseAccess, []parserCase{
		{in: "10/8 monitor", want: "10.0.0.0/8 monitor"},
		{in: "127.0.0.1  Admin", want: "127.0.0.1 admin"},
		{in: "0/0 none", want: "0.0.0.0/0 none"},
		{in: "10/8 monitor, deny-logs", want: "10.0.0.0/8 monitor,deny-logs"},
		{in: "10/8 operator", want: "10.0.0.0/8 operator"},
		{in: "10/8", err: "4-4 missing"},
		{in: "10/8 root", err: "5-9 syntax"},
		{in: "10/8 admin,deny-logs", err: "11-20 syntax"},
		{in: "10/8 monitor,x", err: "13-14 syntax"},
		{in: "", err: "0-0 missing"},
		{in: "admin 10/8", err: "0-5 syntax"},
		{in: "10/8 monitor admin", err: "5-18 syntax"},
	})
}

func TestHosts(t *testing.T) { // guide 3.3.10.87, 3.3.10.89
	t.Parallel()
	run(t, schema.ParseRoute, []parserCase{
		{in: "yahoo.com", want: "yahoo.com"},
		{in: "[192.0.2.1]:25", want: "[192.0.2.1]:25"},
		{in: "a.example:2525", want: "a.example:2525"},
		{in: "192.0.2.1", want: "192.0.2.1"},
		{in: "", err: "0-0 missing"},
		{in: "a b", err: "1-2 syntax"},
		{in: "[192.0.2.1", err: "10-10 missing"},
		{in: "[x]", err: "1-2 syntax"},
		{in: "[192.0.2.1]25", err: "11-13 syntax"},
		{in: "a:0", err: "2-3 range"},
		{in: "a:", err: "2-2 missing"},
		{in: ":25", err: "0-0 missing"},
		{in: "[fe80::1%x]", err: "1-10 syntax"},
	})
	run(t, schema.ParseSMTPHosts, []parserCase{
		{in: "a.example.net, [192.0.2.9]:2525; last.example.net", want: "a.example.net,[192.0.2.9]:2525;last.example.net"},
		{in: `""`, want: `""`},
		{in: "[IPv6:2001::1]", want: "[IPv6:2001::1]"},
		{in: "lookup-mx:gmail.com", want: "lookup-mx:gmail.com"},
		{in: "lookup-mx:a.example,b.example:26", want: "lookup-mx:a.example,b.example:26"},
		{in: "", err: "0-0 missing"},
		{in: "a,,b", err: "2-2 missing"},
		{in: "a;", err: "2-2 missing"},
		{in: "lookup-mx:", err: "10-10 missing"},
		{in: "a, b c", err: "4-5 syntax"},
	})
	v, err := schema.ParseSMTPHosts("a:26,[192.0.2.1];lookup-mx:b")
	want := schema.SMTPHosts{Levels: [][]schema.HostSpec{{{Name: "a", Port: 26}, {Addr: netip.MustParseAddr("192.0.2.1")}}, {{Name: "b", LookupMX: true}}}}
	if diff := cmp.Diff(want, v, exact); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestQueueTo(t *testing.T) { // guide 3.3.10.31, 10.9.1, 3.3.10.99
	t.Parallel()
	run(t, schema.ParseQueueTo, []parserCase{
		{in: `"hotmail.queue"`, want: "hotmail.queue"},
		{in: "hotmail.queue", want: "hotmail.queue"},
		{in: "{sparkpost}", want: "{sparkpost}"},
		{in: `""`, want: `""`},
		{in: "", err: "0-0 missing"},
		{in: "a/b", err: "1-2 syntax"},
		{in: "*", err: "0-1 syntax"},
		{in: "*.a", err: "0-3 syntax"},
		{in: "$m", err: "0-2 syntax"},
		{in: "a b", err: "1-2 syntax"},
		{in: "{a", err: "2-2 missing"},
	})
}

func TestDomainKey(t *testing.T) { // guide 3.3.1.33.1, 10.6.2
	t.Parallel()
	run(t, schema.ParseDomainKey, []parserCase{
		{in: "k1, example.org, /etc/k.pem", want: "k1,example.org,/etc/k.pem"},
		{in: `s,*,c:\keys\k 1.pem`, err: "13-19 syntax"},
		{in: `s,*,"c:\keys\k 1.pem"`, want: `s,*,"c:\keys\k 1.pem"`},
		{in: `s,*,"a,b.pem"`, want: `s,*,"a,b.pem"`},
		{in: "s.x,a.example,k", want: "s.x,a.example,k"},
		{in: "dkim,example.com,*,/etc/k.pem", err: "18-29 syntax"},
		{in: "s,example.com", err: "13-13 missing"},
		{in: "s,*,", err: "4-4 missing"},
		{in: "", err: "0-0 missing"},
		{in: ",*,f", err: "0-0 missing"},
		{in: "s,,f", err: "2-2 missing"},
		{in: "s,*.a,f", err: "2-3 syntax"},
		{in: "s t,*,f", err: "1-2 syntax"},
		{in: `"s",*,f`, err: "0-1 syntax"},
	})
}

func TestPath(t *testing.T) { // guide 3.3.1.37.2, 11.3
	t.Parallel()
	run(t, schema.ParsePath, []parserCase{
		{in: "/var/log/pmta/log", want: "/var/log/pmta/log"},
		{in: `"c:\my stuff\\x.exe"`, want: `"c:\my stuff\\x.exe"`},
		{in: `"/a"`, want: "/a"},
		{in: "/etc/pmta/*.conf", want: "/etc/pmta/*.conf"},
		{in: "", err: "0-0 missing"},
		{in: `""`, err: "1-1 missing"},
		{in: "/a b", err: "2-4 syntax"},
		{in: `/a"b`, err: "2-3 syntax"},
		{in: "/a#b", err: "2-3 syntax"},
		{in: "/a\nb", err: "2-3 syntax"},
		{in: "/a\xff", err: "2-3 syntax"},
	})
	for p, want := range map[schema.Path]bool{"/a": true, `c:\a`: true, "C:/a": true, `\\h\a`: true, "a": false, "c:a": false, `log\a`: false, "": false, "1:/": false} {
		if p.IsAbs() != want {
			t.Errorf("%q absolute: %v", p, !want)
		}
	}
	if !schema.Path("/a/*.conf").HasWildcard() || schema.Path("/a").HasWildcard() {
		t.Error("wildcards")
	}
}

func TestRule(t *testing.T) { // guide 3.3.14
	t.Parallel()
	for keyword, cases := range map[string][]parserCase{
		"header": {
			{in: `x-stream /^\s*news letter/ virtual-mta=pool1, recipient-priority=20`, want: `x-stream /^\s*news letter/ virtual-mta=pool1,recipient-priority=20`},
			{in: "x-stream /a/ ", err: "12-12 missing"},
			{in: "x:y /a/ virtual-mta=v", err: "1-2 syntax"},
			{in: "x-stream", err: "8-8 missing"},
			{in: "x /a virtual-mta=v", err: "18-18 missing"},
			{in: "x a virtual-mta=v", err: "2-17 syntax"},
		},
		"Mail-From": {
			{in: "/^bulk/ <pattern-list>", want: "/^bulk/ <pattern-list>"},
			{in: "/a/b/ virtual-mta=v", want: "/a/b/ virtual-mta=v"},
			{in: "/(/ virtual-mta=v", err: "1-2 syntax"},
			{in: "/a/ virtual-mta=a,virtual-mta=b", err: "18-31 syntax"},
			{in: "/a/ recipient-priority=101", err: "23-26 range"},
			{in: "/a/ recipient-priority=x", err: "23-24 syntax"},
			{in: "/a/ virtual-mta=", err: "16-16 missing"},
			{in: "/a/ virtual-mta=v weight 3", err: "17-26 syntax"},
		},
		"rcpt-to": {{in: `/@example\.org$/ call-to: Q`, want: `/@example\.org$/ call-to:Q`}},
		"*":       {{in: "virtual-mta=v1", want: "virtual-mta=v1"}, {in: "x=1", err: "0-3 syntax"}},
		"rcpt":    {{in: "/a/ virtual-mta=v", err: "0-0 syntax"}},
	} {
		run(t, func(s string) (schema.Rule, error) { return schema.ParseRule(keyword, s) }, cases)
	}
}

func TestReply(t *testing.T) { // guide 3.3.15
	t.Parallel()
	run(t, schema.ParseReply, []parserCase{
		{in: `/rule \x23 blocked / mode=backoff,disable-source-ip,reenable-after=1h`, want: `/rule \x23 blocked / mode=backoff,disable-source-ip,reenable-after=1h`},
		{in: "/a/ mode=Normal, defer-queue", want: "/a/ mode=normal,defer-queue"},
		{in: "/a/ bounce-queue", want: "/a/ bounce-queue"},
		{in: "/a/ skip-mx,bounce-rcpt", want: "/a/ skip-mx,bounce-rcpt"},
		{in: "/a/ disable-source-ip,reenable-after=never", want: "/a/ disable-source-ip,reenable-after=never"},
		{in: "/a/ skip-mx,skip-mx", want: "/a/ skip-mx"},
		{in: "/a/ mode=backoff,mode=normal", err: "17-28 syntax"},
		{in: "/a/ skip-mx,bounce-queue", err: "12-24 syntax"},
		{in: "/a/ reenable-after=1h,disable-source-ip", err: "4-21 syntax"},
		{in: "/a/ disable-source-ip,reenable-after=1h,reenable-after=2h", err: "40-57 syntax"},
		{in: "/a/", err: "3-3 missing"},
		{in: "/a/ mode=slow", err: "9-13 syntax"},
		{in: "/a/ drop", err: "4-8 syntax"},
		{in: "mode=backoff", err: "0-12 syntax"},
		{in: "/a# / skip-mx", err: "2-3 syntax"},
		{in: "/a/ disable-source-ip,reenable-after=x", err: "37-38 syntax"},
	})
}

// TestOffsets holds that offsets count from the start of the value as it was given, blanks and quotes included.
func TestOffsets(t *testing.T) {
	t.Parallel()
	for blanks := range 3 {
		_, err := schema.ParseRate(strings.Repeat(" ", blanks) + `"10/week"`)
		if want := strconv.Itoa(blanks+4) + "-" + strconv.Itoa(blanks+8) + " syntax"; finding(err) != want {
			t.Errorf("%v: %s, want %s", err, finding(err), want)
		}
	}
}
