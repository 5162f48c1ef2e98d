package warmup

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseSchedule(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want Schedule
	}{
		"per IP":              {"day,cap\n1,100\n2,250\n", Schedule{Caps: []int64{100, 250}, Hold: 1}},
		"gaps":                {"day,cap\n1,100\n4,250\n5,300", Schedule{Caps: []int64{100, 100, 100, 250, 300}, Hold: 1}},
		"weekly":              {"Week , cap\n1, 50000\n2,100000\n", Schedule{Caps: []int64{50_000, 100_000}, Hold: 7}},
		"hourly":              {"day,hourly\n1,20\n", Schedule{Caps: []int64{20}, Hold: 1, PerHour: true}},
		"together":            {"day,total\n1,20\n", Schedule{Caps: []int64{20}, Hold: 1, Together: true}},
		"in percent":          {"day,cap\n1,0.5%\n2,12.25 %\n3,100%\n", Schedule{Caps: []int64{50, 1225, 10_000}, Hold: 1, Percent: true}},
		"BOM, CRLF, comments": {"\ufeff# ours\r\nday,cap\r\n# slow\r\n1,7\r\n", Schedule{Caps: []int64{7}, Hold: 1}},
		"receivers": {"day,gmail,other\n1,500,1000\n3,1000,2000\n", Schedule{Receivers: []Schedule{
			{Name: "gmail", Caps: []int64{500, 500, 1000}, Hold: 1}, {Name: "other", Caps: []int64{1000, 1000, 2000}, Hold: 1}}}},
		"one receiver": {"day,gmail\n1,500\n", Schedule{Receivers: []Schedule{{Name: "gmail", Caps: []int64{500}, Hold: 1}}}},
		"JSON":         {`{"name":"own","caps":[5,9],"growth":"5/4","every":2,"slowing":[{"from":50,"growth":1.1}]}`, Schedule{Name: "own", Caps: []int64{5, 9}, Growth: big.NewRat(5, 4), Every: 2, Slowing: []Rate{{50, big.NewRat(11, 10)}}}},
		"JSON, nested": {"\n {\"receivers\":[{\"name\":\"a\",\"caps\":[1],\"growth\":\"2\"}]}", Schedule{Receivers: []Schedule{{Name: "a", Caps: []int64{1}, Growth: big.NewRat(2, 1)}}}},
	} {
		got, err := ParseSchedule([]byte(c.text))
		if diff := cmp.Diff(c.want, got, sameRat()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		line int
		say  string
	}{
		"nothing":          {"", 0, "no rows"},
		"headings alone":   {"day,cap\n", 0, "no rows"},
		"no headings":      {"1,100\n", 1, "headings"},
		"one column":       {"day\n1\n", 1, "headings"},
		"cap in company":   {"day,cap,gmail\n1,1,1\n", 1, "stands alone"},
		"nameless column":  {"day,gmail,\n1,1,1\n", 1, "no heading"},
		"ragged":           {"day,cap\n1,100\n2\n", 3, "1 fields"},
		"starts late":      {"day,cap\n2,100\n", 2, "does not follow 0"},
		"falls":            {"day,cap\n1,100\n1,200\n", 3, "does not follow 1"},
		"beyond":           {"day,cap\n1,100\n99999,200\n", 3, "at most 3700"},
		"no number":        {"day,cap\n1,many\n", 2, "no cap"},
		"fraction":         {"day,cap\n1,1.5\n", 2, "no cap"},
		"minus":            {"day,cap\n1,-5%\n", 2, "no cap"},
		"too fine":         {"day,cap\n1,0.005%\n", 2, "no cap"},
		"half a percent":   {"day,cap\n1,1.%\n", 2, "no cap"},
		"mixed":            {"day,cap\n1,1%\n2,500\n", 3, "mixes"},
		"mixed in a row":   {"day,a,b\n1,1%,500\n", 2, "mixes"},
		"falling caps":     {"day,cap\n1,100\n2,50\n", 0, "never fall"},
		"zero":             {"day,cap\n1,0\n", 0, "positive"},
		"above all":        {"day,cap\n1,101%\n", 0, "everything"},
		"receiver twice":   {"day,a,a\n1,1,1\n", 0, "twice"},
		"quotes":           {"day,cap\n1,\"100\n", 2, "no CSV"},
		"broken JSON":      {"{\n\"caps\": [1,\n}", 3, "no schedule"},
		"unknown field":    {`{"cap":[1]}`, 0, "unknown field"},
		"unknown, nested":  {`{"receivers":[{"name":"a","cap":[1]}]}`, 0, "unknown field"},
		"no caps":          {`{"name":"x"}`, 0, "no caps"},
		"huge factor":      {`{"caps":[1],"growth":"1e99999999"}`, 0, "growth"},
		"huge number":      {`{"caps":[1],"growth":1e99999999}`, 0, "growth"},
		"no factor":        {`{"caps":[1],"growth":"1/0"}`, 0, "growth"},
		"factor of a kind": {`{"caps":[1],"growth":true}`, 0, "growth"},
		"deep":             {`{"receivers":` + strings.Repeat(`[{"receivers":`, 5000), 0, "deeply"},
		"large":            {strings.Repeat("#\n", maxText), 0, "bytes"},
	} {
		s, err := ParseSchedule([]byte(c.text))
		var e *Error
		if !errors.As(err, &e) || e.Line != c.line || !strings.Contains(e.Error(), c.say) {
			t.Errorf("%s: %v; want line %d, %q", name, err, c.line, c.say)
		}
		if s.Name != "" || s.Caps != nil || s.Receivers != nil {
			t.Errorf("%s: returns %+v", name, s)
		}
	}
}

func TestParseVolumes(t *testing.T) {
	t.Parallel()
	got, err := ParseVolumes([]byte("# from the shop\ndate,messages\n2028-02-29, 5000\n\n2026-12-24,0\n"))
	if diff := cmp.Diff(map[string]int64{"2028-02-29": 5000, "2026-12-24": 0}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := ParseVolumes([]byte("2026-03-02,5")); err != nil || got["2026-03-02"] != 5 {
		t.Errorf("without headings: %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"no such day":  {"2026-03-01,1\n2026-02-29,5\n", 2},
		"heading late": {"2026-03-01,1\ndate,messages\n", 2},
		"short date":   {"date,n\n2026-3-1,5\n", 2},
		"no number":    {"2026-03-01,few\n", 1},
		"minus":        {"2026-03-01,-1\n", 1},
		"twice":        {"2026-03-01,1\n2026-03-01,2\n", 2},
		"three fields": {"2026-03-01,1,2\n", 1},
		"quotes":       {"2026-03-01,\"1\n", 1},
		"large":        {strings.Repeat("#\n", maxText), 0},
	} {
		got, err := ParseVolumes([]byte(c.text))
		var e *Error
		if !errors.As(err, &e) || e.Line != c.line || got != nil {
			t.Errorf("%s: %v, %v; want line %d", name, got, err, c.line)
		}
	}
}

// Every schedule comes back from its JSON, the published ones among them.
func TestScheduleJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSchedule(text)
		if diff := cmp.Diff(s, back, sameRat()); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	})
}

// What is read is valid, its caps never fall, and its JSON reads back as itself.
func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{
		"day,cap\n1,100\n3,250\n", "week,total\n1,5\n", "day,hourly\n1,20\n", "day,a,b\n1,1%,2%\n9,100%,100%\n",
		`{"caps":[5],"growth":"6/5","every":3,"slowing":[{"from":9,"growth":"11/10"}]}`, `{"receivers":[{"name":"a","caps":[1],"percent":true}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSchedule(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason == "" || strings.Contains(e.Reason, "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		for day := 1; day < 40; day++ {
			if a, b := s.Cap(day), s.Cap(day+1); a < 1 || b < a {
				t.Fatalf("%d on day %d, %d on the next", a, day, b)
			}
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSchedule(again)
		if err != nil || back.Cap(1) != s.Cap(1) || back.Cap(30) != s.Cap(30) || len(back.Receivers) != len(s.Receivers) {
			t.Fatalf("%s reads back as %+v, %v", again, back, err)
		}
	})
}

func FuzzParseVolumes(f *testing.F) {
	f.Add([]byte("date,messages\n2026-03-02,5\n"))
	f.Add([]byte("#\n2026-03-02,5\r\n2026-03-03,0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		volumes, err := ParseVolumes(text)
		if (err == nil) != (volumes != nil) {
			t.Fatalf("%v, %v", volumes, err)
		}
		p := Plan{Schedule: sparkpost(), Start: start(), IPs: 1, Daily: 1, Dated: volumes}
		if err := p.validateFields(); err != nil {
			t.Fatalf("what was read is not valid in a plan: %v", err)
		}
		for date, n := range volumes {
			if !strings.Contains(string(text), date) || n < 0 {
				t.Fatalf("%s, %d", date, n)
			}
		}
	})
}
