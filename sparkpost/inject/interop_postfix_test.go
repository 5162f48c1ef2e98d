//go:build interop

package inject_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/inject"
)

// certificate makes an authority, and a certificate and key by it as files.
func certificate(t *testing.T, dir, name string) (roots *x509.CertPool) {
	t.Helper()
	issue := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	ca, caKey := issue(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	cert, key := issue(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, caKey)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	roots = x509.NewCertPool()
	roots.AddCert(ca)
	return roots
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{file: 0o644, filepath.Dir(file): 0o755} { // whatever the umask is
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// passwords answers Postfix's questions about users, in the protocol of Dovecot's authentication. The SASL towards the client is Postfix's.
func passwords(t *testing.T, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	b64 := base64.StdEncoding
	serve := func(conn net.Conn) {
		defer conn.Close()
		io.WriteString(conn, "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00000000000000000000000000000000\nDONE\n")
		names := map[string][]string{} // what has been said of a LOGIN, by request
		for in := bufio.NewScanner(conn); in.Scan(); {
			fields := strings.Split(in.Text(), "\t")
			if len(fields) < 3 || fields[0] != "AUTH" && fields[0] != "CONT" {
				continue
			}
			id, said := fields[1], []byte(nil)
			if fields[0] == "AUTH" {
				names[id] = nil
			}
			for _, f := range fields[2:] {
				if text, ok := strings.CutPrefix(f, "resp="); ok || fields[0] == "CONT" {
					said, _ = b64.DecodeString(text)
				}
			}
			if said != nil {
				names[id] = append(names[id], strings.Split(string(said), "\x00")...)
			}
			switch have := names[id]; {
			case len(have) == 0 && fields[2] == "LOGIN":
				fmt.Fprintf(conn, "CONT\t%s\t%s\n", id, b64.EncodeToString([]byte("Username:")))
			case len(have) == 1:
				fmt.Fprintf(conn, "CONT\t%s\t%s\n", id, b64.EncodeToString([]byte("Password:")))
			case slices.Equal(have[len(have)-2:], []string{"u", password}):
				fmt.Fprintf(conn, "OK\t%s\tuser=u\n", id)
			default:
				fmt.Fprintf(conn, "FAIL\t%s\tuser=u\n", id)
			}
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
}

// postfix runs a Postfix of its own on a loopback port, with STARTTLS and SASL, that throws away what it accepts.
func postfix(t *testing.T) *inject.Server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("Postfix needs root to start")
	}
	dir, err := os.MkdirTemp("", "postfix-test") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	roots := certificate(t, dir, "mail.shop.example")
	port := freePort(t)
	write(t, dir, "etc/main.cf", strings.ReplaceAll(`compatibility_level = 3.6
queue_directory = DIR/spool
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = mail.shop.example
mynetworks = 192.0.2.0/24
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
default_transport = discard:
local_recipient_maps =
smtpd_tls_security_level = may
smtpd_tls_chain_files = DIR/cert.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = DIR/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtputf8_enable = yes
`, "DIR", dir))
	services := "127.0.0.1:" + port + " inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\n"
	for _, s := range []string{"cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "proxymap unix - - n - - proxymap", "anvil unix - - n - 1 anvil",
		"error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard", "flush unix n - n 1000? 0 flush", "showq unix n - n - - showq",
		"verify unix - - n - 1 verify", "scache unix - - n - 1 scache"} {
		services += s + "\n"
	}
	write(t, dir, "etc/master.cf", services)
	passwords(t, filepath.Join(dir, "auth"))
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	for _, name := range []string{"spool", "data"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"data", "auth"} {
		if err := os.Chown(filepath.Join(dir, name), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	log := func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		return string(text)
	}
	if code, out := command(t, "postfix", "-c", dir+"/etc", "start"); code != 0 {
		t.Fatalf("postfix exits with %d: %s\n%s", code, out, log())
	}
	t.Cleanup(func() {
		if out, err := exec.Command("postfix", "-c", dir+"/etc", "stop").CombinedOutput(); err != nil {
			t.Errorf("postfix stop: %v: %s", err, out)
		}
		if t.Failed() {
			t.Log(log())
		}
	})
	await(t, "127.0.0.1:"+port)
	return &inject.Server{Addr: "127.0.0.1:" + port, TLS: inject.TLS{ServerName: "mail.shop.example", Roots: roots}, Auth: &inject.Auth{User: "u", Password: password}}
}

func TestInteropPostfix(t *testing.T) {
	t.Parallel()
	good := postfix(t)
	for _, tt := range []struct {
		name   string
		change func(*inject.Server, *inject.Message)
		exit   inject.Exit
		kind   error
	}{
		{"PLAIN", func(*inject.Server, *inject.Message) {}, 0, nil},
		{"LOGIN", func(s *inject.Server, _ *inject.Message) { s.Auth.Mechanism = "LOGIN" }, 0, nil},
		{"LOGIN with the user", func(s *inject.Server, _ *inject.Message) { s.Auth.Initial = true }, 0, nil},
		{"TLS 1.2", func(s *inject.Server, _ *inject.Message) { s.TLS.MaxVersion = tls.VersionTLS12 }, 0, nil},
		{"8 bits", func(_ *inject.Server, m *inject.Message) { m.Text, m.EightBit = "é\n", true }, 0, nil},
		{"other alphabets", func(_ *inject.Server, m *inject.Message) { m.To = []string{"é@mail.example"} }, 0, nil},
		{"notifications", func(_ *inject.Server, m *inject.Message) {
			m.Return, m.EnvelopeID, m.Notify = "HDRS", "j+7", []string{"NEVER"}
		}, 0, nil},
		{"parts", func(_ *inject.Server, m *inject.Message) {
			m.HTML, m.Attachments = "<p>x</p>", []inject.Attachment{{Name: "x.bin", Data: bytes.Repeat([]byte{0, 10, 13, '.'}, 5000)}}
		}, 0, nil},
		{"wrong password", func(s *inject.Server, _ *inject.Message) { s.Auth.Password = "wrong" }, 28, nil},
		{"wrong password, LOGIN", func(s *inject.Server, _ *inject.Message) { s.Auth.Password, s.Auth.Mechanism = "wrong", "LOGIN" }, 28, nil},
		{"no TLS", func(s *inject.Server, _ *inject.Message) { s.TLS.Mode = inject.Off }, 28, inject.ErrUnsafe},
		{"another name", func(s *inject.Server, _ *inject.Message) { s.TLS.ServerName = "smtp.shop.example" }, 29, nil},
		{"another name, not demanded", func(s *inject.Server, _ *inject.Message) {
			s.TLS.ServerName, s.TLS.Mode = "smtp.shop.example", inject.Require
		}, 28, inject.ErrUnsafe},
		{"other roots", func(s *inject.Server, _ *inject.Message) { s.TLS.Roots = x509.NewCertPool() }, 29, nil},
		{"no credentials", func(s *inject.Server, _ *inject.Message) { s.Auth = nil }, 24, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, m := *good, message()
			auth := *good.Auth
			s.Auth = &auth
			tt.change(&s, m)
			r, err := inject.Send(t.Context(), &s, m)
			if r.Exit != tt.exit || tt.kind != nil && !errors.Is(err, tt.kind) || (r.ID != "") != (tt.exit == 0) {
				t.Errorf("exit %d, want %d, id %q: %v\n%s", r.Exit, tt.exit, r.ID, err, r.Transcript)
			}
		})
	}
	r, err := inject.SendMany(t.Context(), good, message(), inject.Load{Messages: 200, Connections: 5, PerConnection: 20})
	if err != nil || r.Accepted != 200 || r.Connections < 10 {
		t.Errorf("%+v, %v", r, err)
	}
}
