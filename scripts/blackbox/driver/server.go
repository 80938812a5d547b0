package driver

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	log     string          // the file with what it says
	running context.Context // done when the process has ended
}

// procAttr has servers die with the tests, if this system can do that.
var procAttr syscall.SysProcAttr

// Start runs a flavor on a free port of the loopback, until the test ends. A shell first
// runs the commands of setup, such as "ulimit -n 40".
func Start(t *testing.T, f Flavor, proto string, setup ...string) *Server {
	t.Helper()
	script := strings.Join(append(setup, `exec "$0" "$@"`), " && ")
	return Launch(t, f, proto, "/bin/sh", "-c", script, f.Binary(), "-addr", "127.0.0.1:0", "-proto", proto)
}

var readyLine = regexp.MustCompile(`^([a-z]+): ([a-z]+) on (.*:[1-9][0-9]*)\n`)

// Launch runs a program that is, or becomes, a flavor, and waits for the ready line, which
// tells the address. When the test ends, the process gets SIGTERM, and must end as it
// should.
func Launch(t *testing.T, f Flavor, proto string, argv ...string) *Server {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	running, ended := context.WithCancel(context.Background())
	s := &Server{Flavor: f, Cmd: exec.Command(argv[0], argv[1:]...), log: log.Name(), running: running}
	s.Cmd.SysProcAttr = &procAttr
	s.Cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // or each takes a second to end
	s.Cmd.Stdout, s.Cmd.Stderr = log, log
	if err := s.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.Cmd.Wait()
		ended()
	}()
	t.Cleanup(func() {
		s.Stop(t, syscall.SIGTERM)
		s.CheckEnd(t)
	})
	var m []string
	Await(t, f.Name+"'s ready line", func() bool {
		m = readyLine.FindStringSubmatch(s.said())
		return m != nil || running.Err() != nil
	})
	if m == nil {
		t.Fatalf("%s ended before it was ready: %v\n%s", f.Name, s.Cmd.ProcessState, s.said())
	}
	if diff := cmp.Diff([]string{f.Name, proto}, m[1:3]); diff != "" {
		t.Errorf("ready line (-want +got):\n%s", diff)
	}
	s.Addr = m[3]
	return s
}

// said returns all that the server has said.
func (s *Server) said() string {
	text, _ := os.ReadFile(s.log)
	return string(text)
}

// Logged is what the server has said since its ready line.
func (s *Server) Logged() string { return readyLine.ReplaceAllString(s.said(), "") }

// Stop sends a signal, and returns how long the process took to end.
func (s *Server) Stop(t *testing.T, sig os.Signal) time.Duration {
	begin := time.Now()
	s.Cmd.Process.Signal(sig) // fails if it has ended
	select {
	case <-s.running.Done():
	case <-time.After(Patience):
		t.Errorf("%s did not end on %v", s.Name, sig)
		s.Cmd.Process.Kill()
		<-s.running.Done()
	}
	return time.Since(begin)
}

// CheckEnd checks how the process ended, and that it had said nothing but the
// ready line and what the test expects.
func (s *Server) CheckEnd(t *testing.T) {
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
