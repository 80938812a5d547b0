package driver

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A Server is a process that runs a flavor.
type Server struct {
	Flavor
	Addr    string         // where it listens
	Extra   *regexp.Regexp // what it is to log after the ready line; nil for nothing
	MayFail bool           // it may end before it is to, and say what it likes
	Cmd     *exec.Cmd
	Log     Log
	ended   chan struct{} // closed when the process has ended
}

// procAttr has servers die with the tests, if this system can do that.
var procAttr syscall.SysProcAttr

// Start runs a flavor on a free port of the loopback, until the test ends. A shell first
// runs the commands of setup, such as "ulimit -n 40".
func Start(t *testing.T, f Flavor, proto string, setup ...string) *Server {
	t.Helper()
	script := strings.Join(append(setup, `exec "$0" "$@"`), " && ")
	s := Launch(t, f, proto, "/bin/sh", "-c", script, f.Binary(), "-addr", "127.0.0.1:0", "-proto", proto)
	return s
}

// Launch runs a program that is, or becomes, a flavor, and waits until it is ready. When
// the test ends, the process gets SIGTERM, and must end as it should.
func Launch(t *testing.T, f Flavor, proto string, argv ...string) *Server {
	t.Helper()
	s := NewServer(f, argv...)
	s.Begin(t)
	s.Ready(t, proto)
	return s
}

// NewServer prepares what Launch runs.
func NewServer(f Flavor, argv ...string) *Server {
	s := &Server{Flavor: f, Cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	attr := procAttr
	s.Cmd.SysProcAttr = &attr
	s.Cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // or each takes a second to end
	s.Cmd.Stdout, s.Cmd.Stderr = &s.Log, &s.Log
	return s
}

// Begin starts the process.
func (s *Server) Begin(t *testing.T) {
	t.Helper()
	if err := s.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.Cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.Stop(t, syscall.SIGTERM)
		s.CheckEnd(t)
	})
}

var readyLine = regexp.MustCompile(`^([a-z]+): ([a-z]+) on (.*:[1-9][0-9]*)\n`)

// Ready waits for the ready line, which tells the address.
func (s *Server) Ready(t *testing.T, proto string) {
	t.Helper()
	var m []string
	Await(t, s.Name+"'s ready line", func() bool {
		m = readyLine.FindStringSubmatch(s.Log.String())
		return m != nil || s.HasEnded()
	})
	if m == nil {
		t.Fatalf("%s ended before it was ready: %v\n%s", s.Name, s.Cmd.ProcessState, &s.Log)
	}
	if diff := cmp.Diff([]string{s.Name, proto}, m[1:3]); diff != "" {
		t.Errorf("ready line (-want +got):\n%s", diff)
	}
	s.Addr = m[3]
}

// Logged is what the server has said since its ready line.
func (s *Server) Logged() string { return readyLine.ReplaceAllString(s.Log.String(), "") }

// Pid is the number of the process.
func (s *Server) Pid() int { return s.Cmd.Process.Pid }

// HasEnded tells whether the process has ended.
func (s *Server) HasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Stop sends a signal, and returns how long the process took to end.
func (s *Server) Stop(t *testing.T, sig os.Signal) time.Duration {
	t.Helper()
	begin := time.Now()
	s.Cmd.Process.Signal(sig) // fails if it has ended
	select {
	case <-s.ended:
	case <-time.After(Patience):
		t.Errorf("%s did not end on %v", s.Name, sig)
		s.Cmd.Process.Kill()
		<-s.ended
	}
	return time.Since(begin)
}

// CheckEnd checks how the process ended, and that it had said nothing but the
// ready line and what the test expects.
func (s *Server) CheckEnd(t *testing.T) {
	t.Helper()
	if s.MayFail {
		return
	}
	if code := s.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s: %v; want exit status 0", s.Name, s.Cmd.ProcessState)
	}
	rest := s.Logged()
	if s.Extra != nil && !s.Extra.MatchString(rest) || s.Extra == nil && rest != "" {
		t.Errorf("%s logged %.5000q after its ready line; want %v", s.Name, rest, s.Extra)
	}
}

// OthersServed checks that another client is served, meanwhile if can be.
func (s *Server) OthersServed(t *testing.T, d Dialect) {
	t.Helper()
	if s.Serial {
		return
	}
	c := s.Dial(t)
	for range 10 {
		c.Ask(d.Put("other", "v")+d.Get("other"), d.OK+d.Value("other", "v"))
	}
	c.Leave()
}

// Meet calls work for n clients: at once, or one after the other if that is how they
// are served.
func (s *Server) Meet(n int, work func(i int)) {
	if !s.Serial {
		Together(n, work)
		return
	}
	for i := range n {
		work(i)
	}
}

// A Log holds what a process writes.
type Log struct {
	mu  sync.Mutex
	buf []byte
}

func (b *Log) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = append(b.buf, p...)
	return len(p), nil
}

func (b *Log) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}
