// Package scripts tests the servers from the outside: each case meets every
// flavor that this system can run, in each protocol that it is about.
package scripts

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience is how long a test waits for anything before it fails. It is not a
// bound on speed: what hangs fails here, with a word on what was awaited.
const patience = 30 * time.Second

var race bool // the tests, and so the flavors, have the race detector

// A flavor is one of the servers.
type flavor struct {
	name   string
	serial bool // serves one client after the other
	spins  bool // burns a core when it has nothing to do
}

// flavors are in reading order.
var flavors = []flavor{
	{name: "stblock", serial: true},
	{name: "mtblock"},
	{name: "goroutinesrv"},
	{name: "busywait", spins: true},
	{name: "epollsrv"},
	{name: "kqueuesrv"},
}

// emulated has what builds a flavor that this system can't run as it is.
var emulated = map[string]func(dir string, race bool) (binary string, err error){}

// procAttr has servers die with the tests, if this system can do that.
var procAttr *syscall.SysProcAttr

// runs tells whether this system can run a flavor.
func (f flavor) runs() bool {
	return f.name != "epollsrv" || runtime.GOOS == "linux"
}

func (f flavor) binary() string { return filepath.Join(binDir, f.name) }

var binDir string // has the servers, once build has been called

// build builds all flavors, the first time that it is called.
var build = sync.OnceValue(func() error {
	var err error
	if binDir, err = os.MkdirTemp("", "ioflavors-"); err != nil {
		return err
	}
	args := []string{"build", "-o", binDir}
	if race {
		args = append(args, "-race")
	}
	for _, f := range flavors {
		if emulated[f.name] != nil {
			if _, err := emulated[f.name](binDir, race); err != nil {
				return err
			}
		} else if f.runs() {
			args = append(args, "./"+f.name)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binDir != "" {
		os.RemoveAll(binDir)
	}
	os.Exit(code)
}

// all, concurrent and sleeping say which flavors a test is about.
func all(flavor) bool          { return true }
func concurrent(f flavor) bool { return !f.serial }
func sleeping(f flavor) bool   { return !f.spins }

// eachFlavor runs a test once a flavor.
func eachFlavor(t *testing.T, which func(flavor) bool, test func(t *testing.T, f flavor)) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	for _, f := range flavors {
		if !which(f) {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			if !f.runs() {
				t.Skipf("%s does not run on %s", f.name, runtime.GOOS)
			}
			t.Parallel()
			test(t, f)
		})
	}
}

// eachServer runs a test once a flavor and protocol, each with a server of its own.
func eachServer(t *testing.T, ds []dialect, test func(t *testing.T, s *server, d dialect)) {
	eachFlavor(t, all, func(t *testing.T, f flavor) {
		for _, d := range ds {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				test(t, start(t, f, d.name), d)
			})
		}
	})
}

// A server is a process that runs a flavor.
type server struct {
	flavor
	addr  string         // where it listens
	extra *regexp.Regexp // what it is to log after the ready line; nil for nothing
	cmd   *exec.Cmd
	log   *logBuffer
	ended chan struct{} // closed when the process has ended
}

// start runs a flavor on a free port of the loopback, until the test ends.
func start(t *testing.T, f flavor, proto string) *server {
	t.Helper()
	s := launch(t, f, f.binary(), "-addr", "127.0.0.1:0", "-proto", proto)
	s.ready(t, proto)
	return s
}

// startLimited is start with at most n file descriptors.
func startLimited(t *testing.T, f flavor, proto string, n int) *server {
	t.Helper()
	limit := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, n)
	s := launch(t, f, "/bin/sh", "-c", limit, f.binary(), "-addr", "127.0.0.1:0", "-proto", proto)
	s.ready(t, proto)
	return s
}

// launch runs a program that is, or becomes, a flavor. When the test ends, the
// process gets SIGTERM, and must end as it should.
func launch(t *testing.T, f flavor, argv ...string) *server {
	t.Helper()
	s := &server{flavor: f, log: new(logBuffer), ended: make(chan struct{})}
	s.begin(t, nil, argv...)
	return s
}

// begin starts the process, with more files than the usual three.
func (s *server) begin(t *testing.T, files []*os.File, argv ...string) {
	t.Helper()
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.ExtraFiles = files
	s.cmd.SysProcAttr = procAttr
	s.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // or each takes a second to end
	s.cmd.Stderr = s.log
	s.cmd.Stdout = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.stop(t, syscall.SIGTERM)
		s.checkEnd(t)
	})
}

var readyLine = regexp.MustCompile(`^([a-z]+): ([a-z]+) on (.*:[1-9][0-9]*)\n`)

// ready waits for the ready line, which tells the address.
func (s *server) ready(t *testing.T, proto string) {
	t.Helper()
	var m []string
	await(t, s.name+"'s ready line", func() bool {
		m = readyLine.FindStringSubmatch(s.log.String())
		return m != nil || s.hasEnded()
	})
	if m == nil {
		t.Fatalf("%s ended before it was ready: %v\n%s", s.name, s.cmd.ProcessState, s.log)
	}
	if diff := cmp.Diff([]string{s.name, proto}, m[1:3]); diff != "" {
		t.Errorf("ready line (-want +got):\n%s", diff)
	}
	s.addr = m[3]
}

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// stop sends a signal, and returns how long the process took to end.
func (s *server) stop(t *testing.T, sig os.Signal) time.Duration {
	t.Helper()
	begin := time.Now()
	s.cmd.Process.Signal(sig) // fails if it has ended
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Errorf("%s did not end on %v", s.name, sig)
		s.cmd.Process.Kill()
		<-s.ended
	}
	return time.Since(begin)
}

// checkEnd checks how the process ended, and that it had said nothing but the
// ready line and what the test expects.
func (s *server) checkEnd(t *testing.T) {
	t.Helper()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s: %v; want exit status 0", s.name, s.cmd.ProcessState)
	}
	rest := readyLine.ReplaceAllString(s.log.String(), "")
	if s.extra != nil && !s.extra.MatchString(rest) || s.extra == nil && rest != "" {
		t.Errorf("%s logged %.5000q after its ready line; want %v", s.name, rest, s.extra)
	}
}

// A logBuffer holds what a process writes.
type logBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = append(b.buf, p...)
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}

// await polls until ok is true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, patience)
		}
	}
}

// A client is one connection. After its first failure its methods do nothing, so
// that it can be used in any goroutine that ends before the test does.
type client struct {
	t    testing.TB
	conn *net.TCPConn
	dead bool
}

// dial connects to s until the test ends.
func (s *server) dial(t testing.TB) *client {
	t.Helper()
	c := &client{t: t}
	conn, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		c.failf("dial: %v", err)
		return c
	}
	c.conn = conn.(*net.TCPConn) // TCP_NODELAY is on
	t.Cleanup(func() { conn.Close() })
	return c
}

// failf reports what went wrong first: when a server ends, all its clients fail.
func (c *client) failf(format string, args ...any) {
	c.t.Helper()
	if !c.t.Failed() {
		c.t.Errorf(format, args...)
	}
	c.dead = true
}

// send sends data.
func (c *client) send(data string) {
	c.t.Helper()
	if c.dead {
		return
	}
	c.conn.SetWriteDeadline(time.Now().Add(patience))
	if n, err := c.conn.Write([]byte(data)); err != nil {
		c.failf("%d bytes of %d sent, %.60q: %v", n, len(data), data, err)
	}
}

// expect reads as many bytes as want has, and compares.
func (c *client) expect(want string) {
	c.t.Helper()
	if c.dead {
		return
	}
	got := make([]byte, len(want))
	n, err := c.read(got)
	if string(got[:n]) != want[:n] {
		c.failf("reply differs (-want +got):\n%s", diff(want, string(got[:n])))
	} else if err != nil {
		c.failf("waiting for %.60q: %d bytes of %d, then %v", want, n, len(want), err)
	}
}

// read fills buf as far as it can.
func (c *client) read(buf []byte) (int, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	return io.ReadFull(c.conn, buf)
}

// readSome reads what is there, and waits for it.
func (c *client) readSome(buf []byte) (int, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	return c.conn.Read(buf)
}

// ask sends a request and reads the reply.
func (c *client) ask(request, want string) {
	c.t.Helper()
	c.send(request)
	c.expect(want)
}

// expectEnd reads the last replies, and then that the server sends no more.
func (c *client) expectEnd(want string) {
	c.t.Helper()
	if got := c.rest(); !c.dead && got != want {
		c.failf("all replies to the end differ (-want +got):\n%s", diff(want, got))
	}
}

// rest reads to the end.
func (c *client) rest() string {
	c.t.Helper()
	if c.dead {
		return ""
	}
	c.conn.SetReadDeadline(time.Now().Add(patience))
	all, err := io.ReadAll(c.conn)
	if err != nil {
		c.failf("waiting for the server to close: %.200q, then %v", all, err)
	}
	return string(all)
}

// closeWrite says that no more requests will come.
func (c *client) closeWrite() {
	c.t.Helper()
	if c.dead {
		return
	}
	if err := c.conn.CloseWrite(); err != nil {
		c.failf("%v", err)
	}
}

// leave closes the connection.
func (c *client) leave() {
	if c.conn != nil {
		c.conn.Close()
	}
}

// reset closes the connection with an RST, as a crash of the client's system does.
func (c *client) reset() {
	if c.conn != nil {
		c.conn.SetLinger(0)
		c.conn.Close()
	}
}

// flood sends data over and over until the server has taken no more of it for a
// while, and returns how many bytes it took. It fails if there is no end to it.
func (c *client) flood(data string, limit int) (sent int) {
	c.t.Helper()
	for !c.dead {
		c.conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := c.conn.Write([]byte(data[sent%len(data):]))
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) && n == 0 {
			return sent
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.failf("after %d bytes: %v", sent, err)
		}
		if sent > limit {
			c.failf("the server took %d bytes of requests while no reply is read", sent)
		}
	}
	return sent
}

// diff shows the first difference of two long texts, with what is around it.
func diff(want, got string) string {
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	near := func(s string) string {
		return fmt.Sprintf("%q", s[max(0, i-40):min(len(s), i+200)])
	}
	return fmt.Sprintf("lengths %d and %d, differ at %d\n%s", len(want), len(got), i, cmp.Diff(near(want), near(got)))
}

// together calls work n times at once and waits for all.
func together(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}
