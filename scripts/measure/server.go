//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const readiness = 10 * time.Second // a server may take so long to start

// startServer starts a server on a free port and waits until it is ready. A flavor finds
// such a port itself.
func (m *meter) startServer(launcher []string) error {
	name := filepath.Base(m.program)
	if name != "redis-server" {
		args := []string{m.program, "-addr", "127.0.0.1:0", "-proto", m.proto}
		return m.launch(name, slices.Concat(launcher, args), ": "+m.proto+" on ")
	}
	var err error
	for range 10 {
		if m.port, err = freePort(); err != nil {
			return err
		}
		args := []string{m.program, "--port", m.port, "--bind", "127.0.0.1", "--save", "",
			"--appendonly", "no", "--daemonize", "no", "--maxclients", "20000", "--dir", os.TempDir()}
		err = m.launch(name, slices.Concat(launcher, args), "Ready to accept connections")
		if err == nil || !strings.Contains(err.Error(), "Address already in use") {
			break
		}
	}
	return err
}

// freePort returns a port that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// launch starts a server and awaits its line with the text ready. A flavor's ends with its
// address.
func (m *meter) launch(name string, args []string, ready string) error {
	if runtime.GOOS == "darwin" && name == "mtblock" { // a process may have 2,048 threads
		args = append([]string{"sh", "-c", `ulimit -n 2000; exec "$0" "$@"`}, args...)
	}
	p, err := m.start(args)
	if err != nil {
		return err
	}
	p.name = name
	ctx, cancel := context.WithTimeout(m.ctx, readiness)
	defer cancel()
	line, err := p.await(ctx, ready)
	if m.ctx.Err() != nil {
		return errInterrupted
	}
	if err == context.DeadlineExceeded {
		err = fmt.Errorf("%v have passed", readiness)
	}
	if err != nil {
		p.kill()
		return fmt.Errorf("%s was not ready: %w. Its last words:\n%s", name, err, p.words())
	}
	m.server = p
	if name != "redis-server" {
		m.port = line[strings.LastIndex(line, ":")+1:]
	}
	return nil
}
