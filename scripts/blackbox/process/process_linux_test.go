package process

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"ioflavors/scripts/blackbox/driver"
)

// TestZone has the server listen on an address that is valid in a zone only.
func TestZone(t *testing.T) {
	host := linkLocal(t)
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		s := driver.Launch(t, f, "resp", f.Binary(), "-addr", net.JoinHostPort(host, "0"))
		if got, _, err := net.SplitHostPort(s.Addr); got != host || err != nil {
			t.Errorf("the ready line has %q, %v; want %q", s.Addr, err, host)
		}
		s.Dial(t).Ask("PING\r\n", "+PONG\r\n")
	})
}

// linkLocal returns a link-local address of this system, with its zone.
func linkLocal(t *testing.T) string {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		addrs, _ := link.Addrs()
		for _, a := range addrs {
			ip, _, _ := net.ParseCIDR(a.String())
			if ip.To4() == nil && ip.IsLinkLocalUnicast() && link.Flags&net.FlagUp != 0 {
				return ip.String() + "%" + link.Name
			}
		}
	}
	t.Skip("this system has no IPv6 address that is local to a link")
	return ""
}

// Kernels that refuse a system call if one of its arguments has a certain value.
var kernels = []struct {
	name  string
	call  uint32
	arg   uint32 // which
	value uint32
	errno syscall.Errno
}{
	{"without IPv6", unix.SYS_SOCKET, 0, unix.AF_INET6, unix.EAFNOSUPPORT},
	{"whose IPv6 never takes IPv4", unix.SYS_SETSOCKOPT, 2, unix.IPV6_V6ONLY, unix.EINVAL},
}

// become is the first argument of this program when it is to become another.
const become = "become"

func init() {
	if len(os.Args) < 4 || os.Args[1] != become {
		return
	}
	kernel, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = refuse(kernel)
	}
	if err == nil {
		err = unix.Exec(os.Args[3], os.Args[3:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// refuse makes the kernel that of this thread, and of what it executes, by seccomp(2).
func refuse(kernel int) error {
	k := kernels[kernel]
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k.call, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16 + 8*k.arg},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k.value, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(k.errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}

// TestOtherKernels has an empty host, which is all addresses that there are.
func TestOtherKernels(t *testing.T) {
	for i, k := range kernels {
		t.Run(k.name, func(t *testing.T) {
			driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
				s := driver.Launch(t, f, "resp", os.Args[0], become, fmt.Sprint(i), f.Binary(), "-addr", ":0")
				host, port, err := net.SplitHostPort(s.Addr)
				if host != "0.0.0.0" && host != "::" || err != nil {
					t.Fatalf("the ready line has %q, %v; want all addresses", s.Addr, err)
				}
				s.Addr = net.JoinHostPort("127.0.0.1", port)
				s.Dial(t).Ask("PING\r\n", "+PONG\r\n")
			})
		})
	}
}

// TestThreadsOfUser has a user who may have few threads.
func TestThreadsOfUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start a server as a user who has no other processes")
	}
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		script := fmt.Sprintf(`ulimit -u 200 && exec setpriv --clear-groups --reuid %d "$@"`, 60_000+slices.Index(driver.Flavors, f))
		s := driver.Launch(t, f, "resp", "/bin/bash", "-c", script, "bash", f.Binary(), "-addr", "127.0.0.1:0")
		crowd(t, s, 400, 40)
	})
}

// TestThreadsOfContainer has a control group that may have few threads, and one that
// already has most of those that it may have.
func TestThreadsOfContainer(t *testing.T) {
	for others, served := range map[int]int{0: 40, 150: 10} {
		t.Run(fmt.Sprint("beside ", others), func(t *testing.T) {
			driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
				enter := fmt.Sprintf("echo $$ >%q", controlGroup(t, 200)+"/cgroup.procs")
				begin := fmt.Sprintf("for i in $(seq %d); do sleep 600 >/dev/null 2>&1 & done", others)
				s := driver.Start(t, f, "resp", enter, begin)
				crowd(t, s, 400, served)
			})
		})
	}
}

// controlGroup makes a control group of at most n processes and threads, all of which end
// with the test.
func controlGroup(t *testing.T, n int) (dir string) {
	t.Helper()
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/pids"); err == nil {
		root += "/pids" // version 1
	} else if err := os.WriteFile(root+"/cgroup.subtree_control", []byte("+pids"), 0); err != nil {
		t.Skipf("this system lets nobody limit processes in a control group: %v", err)
	}
	dir, err := os.MkdirTemp(root, "ioflavors-")
	if err != nil {
		t.Skipf("this system lets nobody make a control group: %v", err)
	}
	t.Cleanup(func() {
		driver.Await(t, "the end of all in the control group", func() bool {
			pids, _ := os.ReadFile(dir + "/cgroup.procs")
			for pid := range strings.FieldsSeq(string(pids)) {
				n, _ := strconv.Atoi(pid)
				syscall.Kill(n, syscall.SIGKILL)
			}
			return os.Remove(dir) == nil
		})
	})
	if err := os.WriteFile(filepath.Join(dir, "pids.max"), []byte(fmt.Sprint(n)), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// crowd has more clients than a server may have threads. Some are served while all of
// them stay, and the others when these leave.
func crowd(t *testing.T, s *driver.Server, clients, served int) {
	t.Helper()
	var all []*driver.Client
	for range clients {
		c := s.Dial(t)
		c.Send("PING\r\n")
		all = append(all, c)
	}
	for _, c := range all[:served] {
		c.Expect("+PONG\r\n")
	}
	for before := 0; before < s.Status(t, "Threads"); time.Sleep(300 * time.Millisecond) {
		before = s.Status(t, "Threads") // until it has all that it wants
	}
	for i, c := range all {
		if i >= served {
			c.Expect("+PONG\r\n")
		}
		c.Leave()
	}
}
