//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		output string
		want   []call
	}{
		"arguments with commas in them": {
			"7 epoll_pwait(4, [{events=EPOLLIN, data={u32=5, u64=5}}, {}], 9, [1, 2]) = 1\n",
			[]call{{thread: "7", exit: 77, name: "epoll_wait", result: "1",
				args: []string{"4", " [{events=EPOLLIN, data={u32=5, u64=5}}, {}]", " 9", " [1, 2]"}}},
		},
		"halves of two threads' calls, and the stack of one": {
			"7 read(5,  <unfinished ...>\n" +
				"8 write(6, \"x\\\") = 1,\", 6 <unfinished ...>\n" +
				"8 <... write resumed>)     = 6\n" +
				" > /bin/flavor(internal/runtime/syscall/linux.Syscall6+0xe) [0xb0ae]\n" +
				" > /bin/flavor(main.(*conn).flush+0x4c) [0x10a1]\n" +
				" > /bin/flavor(main.main+0x1f) [0x10b2]\n" +
				"9 +++ exited with 0 +++\n" +
				" > /bin/flavor(main.other+0x1) [0x1]\n" +
				"7 <... read resumed>\"\", 16384) = 0\n",
			[]call{
				{thread: "8", enter: 28, exit: 102, name: "write", args: []string{"6", ` ""`, " 6 "}, result: "6",
					stack: []string{"main.(*conn).flush+0x4c", "main.main+0x1f"}},
				{thread: "7", exit: 356, name: "read", args: []string{"5", `  ""`, " 16384"}, result: "0"},
			},
		},
		"a call that is not printed to its end": {
			"7 close(5) = 1",
			[]call{{thread: "7", exit: never, name: "close", args: []string{"5) = 1"}}},
		},
		"no calls": {
			"[ Process PID=7 runs in 32 bit mode. ]\n7 <... futex resumed>) = 0\n7 --- SIGURG {} ---\n7 fut",
			nil,
		},
	} {
		if d := cmp.Diff(c.want, parse(c.output), cmp.AllowUnexported(call{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestPolls(t *testing.T) {
	const vain = "7 read(5, 0x1, 9) = -1 EAGAIN (Resource temporarily unavailable)\n > /bin/flavor(main.main+0x1) [0x1]\n"
	for name, c := range map[string]struct {
		output string
		want   bool
	}{
		"nothing":             {"", false},
		"many in vain":        {"half a line\n" + strings.Repeat(vain, 31), true},
		"not so many":         {strings.Repeat(vain, 30), false},
		"one of use":          {strings.Repeat(vain, 20) + "7 read(5, \"\", 9) = 1\n" + strings.Repeat(vain, 20), false},
		"one in two halves":   {strings.Repeat(vain, 20) + "7 <... write resumed>) = 1\n" + strings.Repeat(vain, 20), false},
		"other calls between": {strings.Repeat(vain+"8 epoll_pwait(3, [], 128, 0, NULL, 0) = 0\n", 31), true},
	} {
		if got := polls(c.output); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
