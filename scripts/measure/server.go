//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const readiness = 30 * time.Second // a server may take so long to start

// startServer starts a server on a free port and waits until it is ready. A flavor finds
// such a port itself.
func (m *meter) startServer(launcher []string) error {
	name := filepath.Base(m.program)
	if name != "redis-server" {
		args := []string{m.program, "-addr", "127.0.0.1:0", "-proto", m.proto}
		line, err := m.launch(name, slices.Concat(launcher, args), ": "+m.proto+" on ")
		m.port = line[strings.LastIndex(line, ":")+1:]
		return err
	}
	for attempts := 1; ; attempts++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		m.port = fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
		l.Close()
		args := []string{m.program, "--port", m.port, "--bind", "127.0.0.1", "--save", "",
			"--appendonly", "no", "--daemonize", "no", "--maxclients", "20000", "--dir", os.TempDir()}
		_, err = m.launch(name, slices.Concat(launcher, args), "Ready to accept connections")
		if err == nil || attempts == 10 || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
}

// launch starts a server and awaits its line with the text ready.
func (m *meter) launch(name string, args []string, ready string) (line string, err error) {
	if runtime.GOOS == "darwin" && name == "mtblock" { // a process may have 2,048 threads
		args = append([]string{"sh", "-c", `ulimit -n 2000; exec "$0" "$@"`}, args...)
	}
	if m.server, err = m.start(args); err != nil {
		return "", err
	}
	m.server.name = name
	why := ""
	select {
	case <-m.server.said(ready):
		line, ok := m.server.says(ready)
		if ok {
			return line, nil
		}
		why = "it ended with " + m.server.cmd.ProcessState.String()
	case <-m.ctx.Done():
		return "", errInterrupted
	case <-time.After(readiness):
		why = fmt.Sprintf("%v have passed", readiness)
	}
	m.server.kill()
	return "", fmt.Errorf("%s was not ready: %s. Its last words:\n%s", name, why, m.server.words())
}
