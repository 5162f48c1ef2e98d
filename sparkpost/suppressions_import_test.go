package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// rowsOf yields entries; one without a recipient stands for a row that cannot be read.
func rowsOf(list []sparkpost.Suppression) iter.Seq2[*sparkpost.Suppression, error] {
	return func(yield func(*sparkpost.Suppression, error) bool) {
		for i := range list {
			var err error
			s := &list[i]
			if s.Recipient == "" {
				s, err = nil, &sparkpost.RowError{Line: i + 2, Err: errors.New("unreadable")}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// onList returns the addresses that the server holds for the primary account.
func onList(tb testing.TB, c *sparkpost.Client) map[string]bool {
	tb.Helper()
	out := map[string]bool{}
	for e, err := range c.Primary().Suppressions.All(context.Background(), sparkpost.SuppressionFilter{PerPage: 10_000}) {
		if err != nil {
			tb.Fatal(err)
		}
		out[e.Recipient] = true
	}
	return out
}

func addresses(n int) (list []sparkpost.Suppression) {
	for i := range n {
		list = append(list, sparkpost.Suppression{Recipient: fmt.Sprintf("r%d@dest.example", i+1), Type: sparkpost.NonTransactional})
	}
	return list
}

func TestImport(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, PageSize: 10_000})
	c := connect(t, srv)
	list := addresses(25)
	list[3].Type = ""                      // no type
	list[7].Recipient = ""                 // unreadable
	list[11].Recipient = "b@@dest.example" // the server names it
	list[12].SubaccountID = 7              // of another owner
	list[24].Recipient = "nobody"          // no address
	var bad []int64
	var steps []string
	o := &sparkpost.ImportOptions{Chunk: 10,
		Bad: func(e *sparkpost.RowError) error { bad = append(bad, e.Row); return nil },
		Progress: func(r sparkpost.ImportReport) {
			steps = append(steps, fmt.Sprint(r.Done, " ", r.Stored, " ", r.LeftOut))
		}}
	rep, err := c.Primary().Suppressions.Import(t.Context(), rowsOf(list), o)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(bad)
	if diff := cmp.Diff([]int64{4, 8, 12, 13, 25}, bad); diff != "" {
		t.Errorf("bad rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sparkpost.ImportReport{Done: 25, Stored: 20, LeftOut: 5, Unsure: 25, Requests: 4}, rep); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got := onList(t, c); len(got) != 20 || got["r4@dest.example"] || !got["r24@dest.example"] {
		t.Errorf("%d entries on the list", len(got))
	}
	if want := "rows 1 to 25 done (20 stored, 5 left out)"; rep.String() != want || len(steps) != 3 {
		t.Errorf("report %q, want %q; steps %q", rep, want, steps)
	}
	// The same rows again, with a type for those that have none, and owners that do not matter.
	o.Type, o.AnyOwner, bad = sparkpost.Transactional, true, nil
	if rep, err = c.Primary().Suppressions.Import(t.Context(), rowsOf(list), o); err != nil || rep.Stored != 22 || len(bad) != 3 {
		t.Errorf("%v, %v, %v", rep, err, bad)
	}
	for name, o := range map[string]sparkpost.ImportOptions{"chunk": {Chunk: 10_001}, "negative": {Chunk: -1}, "skip": {Skip: -1}, "type": {Type: "all"}, "past the end": {Skip: 26}} {
		before := len(srv.Requests())
		if _, err := c.Primary().Suppressions.Import(t.Context(), rowsOf(list), &o); err == nil || len(srv.Requests()) != before {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without Bad, the first bad row ends the import behind the rows before it.
func TestImportStops(t *testing.T) {
	t.Parallel()
	lost := errors.New("disk gone")
	for name, tt := range map[string]struct {
		rows    func() iter.Seq2[*sparkpost.Suppression, error]
		opts    sparkpost.ImportOptions
		fault   *sparkposttest.Fault
		want    sparkpost.ImportReport
		message string
	}{
		"bad row": {func() iter.Seq2[*sparkpost.Suppression, error] {
			l := addresses(5)
			l[3].Recipient = ""
			return rowsOf(l)
		}, sparkpost.ImportOptions{}, nil, sparkpost.ImportReport{Done: 3, Stored: 3, Unsure: 3, Requests: 1}, "row 4 (line 5): unreadable"},
		"caller stops": {func() iter.Seq2[*sparkpost.Suppression, error] {
			l := addresses(5)
			l[1].Type = ""
			return rowsOf(l)
		}, sparkpost.ImportOptions{Bad: func(*sparkpost.RowError) error { return lost }}, nil, sparkpost.ImportReport{Done: 1, Stored: 1, Unsure: 1, Requests: 1}, "disk gone"},
		"source fails": {func() iter.Seq2[*sparkpost.Suppression, error] {
			return func(yield func(*sparkpost.Suppression, error) bool) {
				for i, e := range addresses(3) {
					if i == 2 {
						yield(nil, lost)
						return
					}
					if !yield(&e, nil) {
						return
					}
				}
			}
		}, sparkpost.ImportOptions{}, nil, sparkpost.ImportReport{Done: 2, Stored: 2, Unsure: 2, Requests: 1}, "disk gone"},
		"server refuses a row": {func() iter.Seq2[*sparkpost.Suppression, error] {
			l := addresses(5)
			l[3].Recipient = "b@@dest.example"
			return rowsOf(l)
		}, sparkpost.ImportOptions{Chunk: 2}, nil, sparkpost.ImportReport{Done: 2, Stored: 2, Unsure: 4, Requests: 2}, "b@@dest.example"},
		"server fails": {func() iter.Seq2[*sparkpost.Suppression, error] { return rowsOf(addresses(5)) }, sparkpost.ImportOptions{Chunk: 2},
			&sparkposttest.Fault{Nth: 2, Times: -1, Status: 500}, sparkpost.ImportReport{Done: 2, Stored: 2, Unsure: 4, Requests: 2}, "500"},
		"server fails, and a bad row": {func() iter.Seq2[*sparkpost.Suppression, error] {
			l := addresses(5)
			l[3].Type = ""
			return rowsOf(l)
		}, sparkpost.ImportOptions{Chunk: 2}, &sparkposttest.Fault{Nth: 2, Times: -1, Status: 500}, sparkpost.ImportReport{Done: 2, Stored: 2, Unsure: 3, Requests: 2}, "type is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
			if tt.fault != nil {
				srv.Inject(*tt.fault)
			}
			c := connect(t, srv)
			rep, err := c.Primary().Suppressions.Import(t.Context(), tt.rows(), &tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.message) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, rep); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// A bad row that the answer does not name is found, and a server that refuses everything is not asked about every row.
func TestImportUnnamed(t *testing.T) {
	t.Parallel()
	serve := func(refuse func(addr string) bool) (*sparkpost.Client, *int, map[string]bool) {
		n, stored := 0, map[string]bool{}
		return scripted(t, func(r *http.Request) (*http.Response, error) {
			n++
			var b struct {
				Recipients []struct{ Recipient string }
			}
			if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
				t.Error(err)
			}
			for _, row := range b.Recipients {
				if refuse(row.Recipient) {
					return answer(400, `{"errors":[{"message":"invalid data"}]}`), nil
				}
			}
			for _, row := range b.Recipients {
				stored[row.Recipient] = true
			}
			return answer(200, `{"results":{"message":"ok"}}`), nil
		}), &n, stored
	}
	c, n, stored := serve(func(a string) bool { return a == "r77@dest.example" || a == "r3@dest.example" })
	var bad []int64
	o := &sparkpost.ImportOptions{Bad: func(e *sparkpost.RowError) error { bad = append(bad, e.Row); return nil }}
	rep, err := c.Primary().Suppressions.Import(t.Context(), rowsOf(addresses(100)), o)
	if err != nil || rep.Done != 100 || rep.Stored != 98 || rep.LeftOut != 2 || len(stored) != 98 || !cmp.Equal(bad, []int64{3, 77}) || *n > 40 {
		t.Errorf("%v, %v, %d stored, bad %v, %d requests", rep, err, len(stored), bad, *n)
	}
	// A failure in the middle of the search: the first half is done, not a row more.
	c, _, stored = serve(func(a string) bool { return a == "r3@dest.example" })
	halves := scripted(t, func(r *http.Request) (*http.Response, error) {
		if stored["r4@dest.example"] {
			return answer(500, "{}"), nil
		}
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		var b struct{ Recipients []sparkpost.Suppression }
		if err := json.NewDecoder(body).Decode(&b); err != nil {
			return nil, err
		}
		if err := c.Primary().Suppressions.PutAll(t.Context(), b.Recipients); err != nil {
			return answer(400, `{"errors":[{"message":"invalid data"}]}`), nil
		}
		return answer(200, "{}"), nil
	})
	rep, err = halves.Primary().Suppressions.Import(t.Context(), rowsOf(addresses(8)), &sparkpost.ImportOptions{Bad: func(*sparkpost.RowError) error { return nil }})
	if want := (sparkpost.ImportReport{Done: 4, Stored: 3, LeftOut: 1, Unsure: 8, Requests: 7}); err == nil || rep != want {
		t.Errorf("report %+v, want %+v, error %v", rep, want, err)
	}
	c, n, _ = serve(func(string) bool { return true })
	bad = nil
	rep, err = c.Primary().Suppressions.Import(t.Context(), rowsOf(addresses(5000)), o)
	if err == nil || !strings.Contains(err.Error(), "refuses every row") || *n > 60 || rep.Stored != 0 || rep.Unsure < 5000 || len(bad) != int(rep.LeftOut) {
		t.Errorf("%v, %v, %d requests, %d bad", rep, err, *n, len(bad))
	}
}

// Whatever rows and faults there are: the report is right about what arrived, and the import that is resumed as often as needed ends
// with the list that an undisturbed one gives.
func TestImportResumes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := addresses(rapid.IntRange(0, 40).Draw(t, "rows"))
		want := map[string]bool{}
		for i := range list {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				list[i].Type = "neither"
			case 1:
				list[i].Recipient = fmt.Sprintf("b%d@@dest.example", i)
			case 2:
				list[i].Recipient = ""
			default:
				want[list[i].Recipient] = true
			}
		}
		srv := sparkposttest.NewServer(sparkposttest.Config{PageSize: 100})
		defer srv.Close()
		c, err := sparkpost.New(sparkpost.Config{URL: srv.URL(), Key: sparkpost.StaticKey(testKey), Base: srv.InProcess(), Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		faults := []sparkposttest.Fault{{Status: 500}, {Status: 500, AfterEffect: true}, {Status: 429, Body: "{}"}, {Drop: true}, {Drop: true, AfterEffect: true}, {Cut: true}}
		for n := range rapid.IntRange(0, 4).Draw(t, "faults") {
			f := faults[rapid.IntRange(0, len(faults)-1).Draw(t, "fault")]
			f.Method, f.Nth = "PUT", rapid.IntRange(1, 12).Draw(t, "nth")+n
			srv.Inject(f)
		}
		o := &sparkpost.ImportOptions{Chunk: rapid.IntRange(1, 12).Draw(t, "chunk"), Bad: func(*sparkpost.RowError) error { return nil }}
		for tries := 0; ; tries++ {
			from := o.Skip
			rep, err := c.Primary().Suppressions.Import(t.Context(), rowsOf(list), o)
			if rep.Done < from || rep.Unsure < rep.Done || rep.Done-from != rep.Stored+rep.LeftOut || rep.Unsure > int64(len(list)) {
				t.Fatalf("report %+v from %d", rep, from)
			}
			there := map[string]bool{}
			for e, err := range c.Primary().Suppressions.All(t.Context(), sparkpost.SuppressionFilter{}) {
				if err != nil {
					t.Fatal(err)
				}
				there[e.Recipient] = true
			}
			for i, s := range list {
				row := int64(i + 1)
				if row <= rep.Done && want[s.Recipient] != there[s.Recipient] || row > rep.Unsure && there[s.Recipient] {
					t.Fatalf("report %+v is wrong about row %d: stored %v", rep, row, there[s.Recipient])
				}
			}
			if err == nil {
				if rep.Done != int64(len(list)) || len(there) != len(want) {
					t.Fatalf("report %+v, %d on the list, want %d", rep, len(there), len(want))
				}
				return
			}
			if tries > 10 {
				t.Fatalf("no end: %v", err)
			}
			o.Skip = rep.Done
		}
	})
}

func TestImportCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	o := &sparkpost.ImportOptions{Chunk: 3, Progress: func(sparkpost.ImportReport) { cancel() }}
	rep, err := connect(t, srv).Primary().Suppressions.Import(ctx, rowsOf(addresses(9)), o)
	if !errors.Is(err, context.Canceled) || rep.Done != 3 || rep.Unsure != 3 || rep.Requests != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// No request is longer than the API takes, whatever the rows hold.
func TestImportBytes(t *testing.T) {
	t.Parallel()
	var sizes []int64
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		sizes = append(sizes, n)
		return answer(200, `{"results":{}}`), nil
	})
	long := strings.Repeat("x", 1<<20)
	rows := func(yield func(*sparkpost.Suppression, error) bool) {
		for i := range 60 {
			if !yield(&sparkpost.Suppression{Recipient: fmt.Sprintf("r%d@dest.example", i), Type: sparkpost.Transactional, Description: long}, nil) {
				return
			}
		}
	}
	rep, err := c.Primary().Suppressions.Import(t.Context(), rows, nil)
	if err != nil || rep.Stored != 60 || len(sizes) != 2 || slices.Max(sizes) > 50_000_000 || slices.Max(sizes) < 40_000_000 {
		t.Errorf("%v, %v, sizes %v", rep, err, sizes)
	}
}

// manyRows is a file of n rows that is made while it is read.
func manyRows(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		fmt.Fprintln(w, "recipient,type,description,list_id")
		for i := range n {
			if _, err := fmt.Fprintf(w, "r%d@dest.example,non_transactional,pmta import,\n", i); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

// discardSuppressions is a client whose server forgets what it gets.
func discardSuppressions(tb testing.TB, got *int) *sparkpost.Client {
	return scripted(tb, func(r *http.Request) (*http.Response, error) {
		n, err := io.Copy(io.Discard, r.Body)
		*got += int(n)
		return answer(200, `{"results":{}}`), err
	})
}

// liveHeap returns what is in use after a collection.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Ten times the rows take no more memory while an import or an export runs.
func TestSuppressionMemory(t *testing.T) { // not parallel: it measures the heap
	small, large := 10_000, 100_000
	if testing.Short() {
		large = 30_000
	}
	importing := func(n int) (peak uint64) {
		got := 0
		c := discardSuppressions(t, &got)
		base := liveHeap()
		o := &sparkpost.ImportOptions{Chunk: 1000, Progress: func(r sparkpost.ImportReport) {
			if r.Done%5_000 == 0 {
				peak = max(peak, liveHeap()-min(base, liveHeap()))
			}
		}}
		rep, err := c.Primary().Suppressions.Import(t.Context(), sparkpost.ReadSuppressions(manyRows(n), sparkpost.SuppressionCSV), o)
		if err != nil || rep.Stored != int64(n) || got < n*60 {
			t.Fatalf("%v, %v, %d bytes", rep, err, got)
		}
		return peak
	}
	exporting := func(n int) (peak uint64) {
		page := 0
		c := scripted(t, func(r *http.Request) (*http.Response, error) {
			var b strings.Builder
			b.WriteString(`{"results":[`)
			for i := range 1000 {
				fmt.Fprintf(&b, `%s{"recipient":"r%d-%d@dest.example","type":"transactional","source":"Bounce Rule"}`, []string{",", ""}[min(1, max(0, 1-i))], page, i)
			}
			page++
			next := fmt.Sprintf(`{"rel":"next","href":"/api/v1/suppression-list?cursor=c%d"}`, page)
			if page*1000 >= n {
				next = ""
			}
			fmt.Fprintf(&b, `],"links":[%s],"total_count":%d}`, next, n)
			return answer(200, b.String()), nil
		})
		base := liveHeap()
		seen, err := sparkpost.WriteSuppressions(io.Discard, sparkpost.SuppressionJSON, c.Everyone().Suppressions.All(t.Context(), sparkpost.SuppressionFilter{}),
			func(n int64) {
				if n%5_000 == 0 {
					peak = max(peak, liveHeap()-min(base, liveHeap()))
				}
			})
		if err != nil || seen != int64(n) {
			t.Fatalf("%d, %v", seen, err)
		}
		return peak
	}
	for name, f := range map[string]func(int) uint64{"import": importing, "export": exporting} {
		f(small) // what is made once is there now
		a, b := f(small), f(large)
		if b > a+a/2+1<<20 {
			t.Errorf("%s: %d bytes with %d rows, %d with %d", name, a, small, b, large)
		}
		t.Logf("%s: %d bytes with %d rows, %d with %d", name, a, small, b, large)
	}
}

func BenchmarkImport(b *testing.B) {
	const n = 100_000
	got := 0
	c := discardSuppressions(b, &got)
	b.ReportAllocs()
	for b.Loop() {
		rep, err := c.Primary().Suppressions.Import(b.Context(), sparkpost.ReadSuppressions(manyRows(n), sparkpost.SuppressionCSV), nil)
		if err != nil || rep.Stored != n {
			b.Fatal(rep, err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
