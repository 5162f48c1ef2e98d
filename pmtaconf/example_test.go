package pmtaconf_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
)

func Example() {
	src := []byte(`<virtual-mta-pool letters>
    virtual-mta oak
    virtual-mta oak
</virtual-mta-pool>
`)
	f, err := pmtaconf.Parse("config", src)
	if err != nil {
		log.Fatal(err)
	}
	pool, _ := f.Scope("virtual-mta-pool", "letters")
	for d := range pool.Directives("virtual-mta") {
		fmt.Println(d.Pos(), d.Value())
	}
	if _, err := pool.Add("virtual-mta", "relay"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// 2:5 oak
	// 3:5 oak
	// <virtual-mta-pool letters>
	//     virtual-mta oak
	//     virtual-mta oak
	//     virtual-mta relay
	// </virtual-mta-pool>
}

func ExampleParse() {
	f, err := pmtaconf.Parse("config", []byte("<source 10/8>\n    log-data no\n\nhost-name a.example\n"))
	var d *pmtaconf.Diagnostic
	if errors.As(err, &d) {
		fmt.Println(d.Code, "at", d.Pos)
	}
	host, _ := f.Directive("host-name") // the tree is there all the same
	fmt.Println(host.Value())
	// Output:
	// unclosed-scope at 1:1
	// a.example
}

func ExampleBody_All() {
	f, _ := pmtaconf.Parse("config", []byte("# head\n<virtual-mta oak>\n    <domain *>\n        queue-to x\n    </domain>\n</virtual-mta>\n"))
	for n := range f.All() {
		switch n := n.(type) {
		case *pmtaconf.Directive:
			fmt.Println(n.Pos(), "directive", n.Name(), n.Value())
		case *pmtaconf.Scope:
			fmt.Println(n.Pos(), "scope", n.Name(), n.Arg())
		case *pmtaconf.Comment:
			fmt.Println(n.Pos(), n.Text())
		}
	}
	// Output:
	// 1:1 # head
	// 2:1 scope virtual-mta oak
	// 3:5 scope domain *
	// 4:9 directive queue-to x
}

func ExampleBody_Directives() {
	f, _ := pmtaconf.Parse("config", []byte("Domain-Key a,*,/a.pem\nlog-file /x\ndomain-key b,*,/b.pem # new\n"))
	for d := range f.Directives("domain-key") {
		fmt.Printf("%s [%s]\n", d.Value(), d.TrailingComment())
	}
	// Output:
	// a,*,/a.pem []
	// b,*,/b.pem [# new]
}

func ExampleBody_Set() {
	f, _ := pmtaconf.Parse("config", []byte("host-name    a.example  # main\nvirtual-mta x\nvirtual-mta y\n"))
	fmt.Println(f.Set("host-name", "b.example"))
	fmt.Println(f.Set("log-file", "/var/log/pmta/log"))
	fmt.Println(f.Set("virtual-mta", "z"))
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <nil>
	// <nil>
	// pmtaconf: set virtual-mta: the directive occurs more than once
	// host-name    b.example  # main
	// virtual-mta x
	// virtual-mta y
	// log-file /var/log/pmta/log
}

func ExampleBody_LeadingComments() {
	f, _ := pmtaconf.Parse("config", []byte("# of the file\n\n# of the host\nhost-name a.example\n"))
	host, _ := f.Directive("host-name")
	for _, c := range f.LeadingComments(host) {
		fmt.Println(c.Text())
	}
	// Output: # of the host
}

func ExampleSpot() {
	f, _ := pmtaconf.Parse("config", []byte("<domain *>\n\tmax-smtp-out\t20\n\tretry-after\t10m\n</domain>\n"))
	domain, _ := f.Scope("domain", "*")
	out, _ := domain.Directive("max-smtp-out")
	spot := pmtaconf.After(out)
	if _, err := spot.AddComment("since the move"); err != nil {
		log.Fatal(err)
	}
	if _, err := spot.Add("max-msg-rate", "500/h"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <domain *>
	// 	max-smtp-out	20
	// 	# since the move
	// 	max-msg-rate	500/h
	// 	retry-after	10m
	// </domain>
}

func ExampleSpot_Move() {
	f, _ := pmtaconf.Parse("config", []byte("<virtual-mta oak>\n    host-name a.example\n</virtual-mta>\nmax-smtp-out 20\n"))
	oak, _ := f.Scope("virtual-mta", "oak")
	out, _ := f.Directive("max-smtp-out")
	if err := oak.AtStart().Move(out); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <virtual-mta oak>
	//     max-smtp-out 20
	//     host-name a.example
	// </virtual-mta>
}

func ExampleBody_AddScope() {
	f, _ := pmtaconf.Parse("config", nil)
	relay, err := f.AddScope("virtual-mta", "relay")
	if err != nil {
		log.Fatal(err)
	}
	domain, err := relay.AddScope("domain", "*")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := domain.Add("queue-to", "{sparkpost}"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <virtual-mta relay>
	//     <domain *>
	//         queue-to {sparkpost}
	//     </domain>
	// </virtual-mta>
}

func ExampleDirective_SetValue() {
	f, _ := pmtaconf.Parse("config", []byte("  max-smtp-out\t20 # of all\n"))
	d, _ := f.Directive("max-smtp-out")
	fmt.Println(d.SetValue("30"))
	fmt.Println(d.SetValue("30 # or 40"))
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <nil>
	// pmtaconf: value of max-smtp-out: text not allowed here: it holds a #, which starts a comment anywhere on a line; there is no escape for it
	//   max-smtp-out	30 # of all
}

func ExampleScope_SetArg() {
	f, _ := pmtaconf.Parse("config", []byte("<domain-key-list old> # keys\n</domain-key-list old>\n"))
	list, _ := f.Scope("domain-key-list", "old")
	if err := list.SetArg("new"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// <domain-key-list new> # keys
	// </domain-key-list new>
}

func ExampleCommentOut() {
	f, _ := pmtaconf.Parse("config", []byte("<domain a.example>\n    queue-to x\n</domain>\n"))
	domain, _ := f.Scope("domain", "a.example")
	comments, err := pmtaconf.CommentOut(domain)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	if _, err := pmtaconf.Uncomment(comments...); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// #<domain a.example>
	//     #queue-to x
	// #</domain>
	// <domain a.example>
	//     queue-to x
	// </domain>
}

func ExampleFile_Undo() {
	f, _ := pmtaconf.Parse("config", []byte("max-smtp-out 20\n"))
	d, _ := f.Directive("max-smtp-out")
	f.Remove(d)
	fmt.Printf("%q\n", f.Bytes())
	fmt.Println(f.Undo(), f.Undo())
	fmt.Printf("%q\n", f.Bytes())
	// Output:
	// ""
	// true false
	// "max-smtp-out 20\n"
}

func ExampleLoad() {
	fsys := fstest.MapFS{ // or os.DirFS("/"), or os.DirFS of a copy of the server's tree
		"etc/pmta/config":      {Data: []byte("include /etc/pmta/vmtas/*.conf\nlog-file /var/log/pmta/log\n")},
		"etc/pmta/vmtas/a.txt": {Data: []byte("not included\n")},
		"etc/pmta/vmtas/b.conf": {Data: []byte("<virtual-mta oak>\n    include /etc/pmta/keys.txt\n" +
			"</virtual-mta>\n")},
	}
	c, err := pmtaconf.Load(fsys, "/etc/pmta/config", nil)
	fmt.Println(err)
	for f := range c.Files() {
		fmt.Println(f.Name())
	}
	// Output:
	// etc/pmta/vmtas/b.conf:2:13: cannot include etc/pmta/keys.txt: the file does not exist; the rest was loaded without it
	// etc/pmta/config
	// etc/pmta/vmtas/b.conf
}

func ExampleConfig_All() {
	c, err := pmtaconf.Load(fstest.MapFS{
		"config":   {Data: []byte("<virtual-mta oak>\n    include /keys.txt\n    host-name oak.example\n</virtual-mta>\n")},
		"keys.txt": {Data: []byte("domain-key k,*,/k.pem\n")},
	}, "config", nil)
	if err != nil {
		log.Fatal(err)
	}
	for scopes, n := range c.All() {
		if d, ok := n.(*pmtaconf.Directive); ok {
			fmt.Printf("%s in <%s>: %s\n", d.Parent().File().Name(), scopes[0].Arg(), d.Name())
		}
	}
	// Output:
	// config in <oak>: include
	// keys.txt in <oak>: domain-key
	// config in <oak>: host-name
}

func ExampleConfig_Diff() {
	c, err := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte("host-name a.example\n<smtp-user x>\n    password abc\n</smtp-user>\n")}}, "config", nil)
	if err != nil {
		log.Fatal(err)
	}
	user, _ := c.Main().Scope("smtp-user", "x")
	if err := user.Set("password", "def"); err != nil {
		log.Fatal(err)
	}
	fmt.Print(c.Diff(&pmtaconf.DiffOptions{Context: 1}))
	// Output:
	// --- a/config
	// +++ b/config
	// @@ -2,3 +2,3 @@
	//  <smtp-user x>
	// -    password ********
	// +    password ********
	//  </smtp-user>
}

func ExampleConfig_Save() {
	dir, err := os.MkdirTemp("", "pmta")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "config")
	if err := os.WriteFile(name, []byte("host-name a.example\n"), 0o640); err != nil {
		log.Fatal(err)
	}
	c, err := pmtaconf.Load(os.DirFS(dir), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	if err != nil {
		log.Fatal(err)
	}
	keys, err := c.Create("/etc/pmta/keys.conf", 0o640)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := keys.Add("domain-key", "k,*,/etc/pmta/k.pem"); err != nil {
		log.Fatal(err)
	}
	if _, err := c.Main().Add("include", c.IncludeValue(keys.Name())); err != nil {
		log.Fatal(err)
	}
	for _, f := range c.Changed() {
		fmt.Println("will write", f.Name())
	}
	if err := c.Save(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	text, _ := os.ReadFile(name)
	fmt.Printf("%s", text)
	// Output:
	// will write keys.conf
	// will write config
	// host-name a.example
	// include /etc/pmta/keys.conf
}

func ExampleDiagnostic_Render() {
	src := []byte("host-name a.example\n<source 10/8>\n    log-data no\n")
	f, _ := pmtaconf.Parse("etc/pmta/config", src)
	for _, d := range f.Diagnostics() {
		fmt.Print(d.Render(src))
	}
	// Output:
	// etc/pmta/config:2:1: error: <source> has no closing tag [unclosed-scope]
	//   2 | <source 10/8>
	//     | ^^^^^^^^^^^^^
	//     = add </source> after line 3, where the scope seems to end
}

func ExampleErrorList_Mend() {
	src := []byte("<domain a.example>\n    queue-to x\n<domain b.example>\n    queue-to y\n</domian>\n")
	f, _ := pmtaconf.Parse("config", src)
	fmt.Printf("%s", f.Diagnostics().Mend("config", src))
	// Output:
	// <domain a.example>
	//     queue-to x
	// </domain>
	// <domain b.example>
	//     queue-to y
	// </domain>
}

func ExampleFormat() {
	out, err := pmtaconf.Format("config", []byte("\n<domain   *>\n  max-smtp-out    20  # of all\n\n\n\tretry-after 10m  \n  </domain>\n"))
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// <domain *>
	//     max-smtp-out 20  # of all
	//
	//     retry-after 10m
	// </domain>
	// <nil>
}

func ExampleMask() {
	fmt.Println(pmtaconf.Mask("auth-username abc\n# auth-password abc # old"))
	fmt.Println(pmtaconf.Secret("auth-password"), pmtaconf.Secret("auth-username"))
	// Output:
	// auth-username abc
	// # auth-password ******** # old
	// true false
}

func ExampleUnquote() {
	fmt.Println(pmtaconf.Unquote(`"two words"`), pmtaconf.Unquote("word"), strings.Count(pmtaconf.Unquote(`""`), ""))
	// Output: two words word 1
}

func ExampleConfig_Mend() {
	c, _ := pmtaconf.Load(fstest.MapFS{
		"config":     {Data: []byte("include /vmtas.conf\n")},
		"vmtas.conf": {Data: []byte("<virtual-mta mta1>\n    max-smtp-out 20\n")},
	}, "config", nil)
	for {
		next, err := c.Mend(c.Diagnostics())
		if err != nil {
			fmt.Println(err)
			return
		}
		if next == c {
			break
		}
		c = next
	}
	fmt.Print(c.Diff(nil))
	// Output:
	// --- a/vmtas.conf
	// +++ b/vmtas.conf
	// @@ -1,2 +1,3 @@
	//  <virtual-mta mta1>
	//      max-smtp-out 20
	// +</virtual-mta>
}
