//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const s = 1_000_000
	for name, c := range map[string]struct {
		output string
		want   []call
	}{
		"a call": {
			"7 12.000100 read(5, \"*3\\r\\n\"..., 16384) = 38 <0.000020>\n",
			[]call{{"7", 12*s + 100, 12*s + 120, "read", []string{"5", `""...`, "16384"}, "38"}},
		},
		"an error": {
			"7 12.000100 accept4(5, 0x2a, [112], SOCK_NONBLOCK) = -1 EAGAIN (Resource temporarily unavailable) <0.000020>\n",
			[]call{{"7", 12*s + 100, 12*s + 120, "accept", []string{"5", "0x2a", "[112]", "SOCK_NONBLOCK"},
				"-1 EAGAIN (Resource temporarily unavailable)"}},
		},
		"halves of two threads' calls": {
			"7  1.000000 read(5,  <unfinished ...>\n" +
				"8  2.000000 write(6, \"x\\\") = 1,\", 6 <unfinished ...>\n" +
				"7  4.000000 <... read resumed>\"\", 16384) = 0 <3.000000>\n" +
				"8  3.500000 <... write resumed>)     = 6 <1.500000>\n",
			[]call{
				{"8", 2 * s, 3*s + s/2, "write", []string{"6", `""`, "6"}, "6"},
				{"7", 1 * s, 4 * s, "read", []string{"5", `""`, "16384"}, "0"},
			},
		},
		"a call that waits": {
			"7 1.000000 read(5, <unfinished ...>\n8 2.000000 getpid() = 7 <0.000001>\n8 3.000000 epoll_pwait(4, ",
			[]call{
				{"8", 2 * s, 2*s + 1, "getpid", []string{""}, "7"},
				{"7", 1 * s, never, "read", []string{"5", ""}, ""},
				{"8", 3 * s, never, "epoll_wait", []string{"4", ""}, ""},
			},
		},
		"a call that a signal interrupts": {
			"7 1.000000 accept4(9, 0x1, [112], 0) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.000090>\n",
			[]call{{"7", 1 * s, 1*s + 90, "accept", []string{"9", "0x1", "[112]", "0"}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"}},
		},
		"an end": {
			"7 1.000000 exit_group(0) = ?\n7 1.000001 ???( <unfinished ...>\n" +
				"7 1.000002 +++ exited with 0 +++\n8 1.000002 --- SIGURG {si_signo=SIGURG} ---\n",
			[]call{{"7", 1 * s, never, "exit_group", []string{"0"}, "?"}},
		},
		"a half without its other, and a part of a line": {
			"7 1.000000 <... futex resumed>) = 0 <0.000001>\n7 1.00",
			nil,
		},
	} {
		got, err := parse(c.output)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(call{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestParseOther(t *testing.T) {
	for _, output := range []string{"12:00:00 read(5) = 1\n", "7 1.000000 7\n", "strace: attach\n7 1.000000 getpid() = 7 <0.000001>\n"} {
		if calls, err := parse(output); err == nil || !strings.Contains(err.Error(), "not a line of strace") {
			t.Errorf("%q: %v, %v", output, calls, err)
		}
	}
}

func TestSplit(t *testing.T) {
	for args, want := range map[string][]string{
		"":            {""},
		"9":           {"9"},
		"9, 4096":     {"9", "4096"},
		"5, [1, 2], ": {"5", "[1, 2]", ""},
		`4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}`: {"4", "EPOLL_CTL_ADD", "5", "{events=EPOLLIN, data={u32=5, u64=5}}"},
		`5, ""..., 9`: {"5", `""...`, "9"},
	} {
		if d := cmp.Diff(want, split(args)); d != "" {
			t.Errorf("%s (-want +got):\n%s", args, d)
		}
	}
}

func TestPolls(t *testing.T) {
	const vain = "7 1.000000 read(5, 0x1, 9) = -1 EAGAIN (Resource temporarily unavailable) <0.000001>\n"
	for name, c := range map[string]struct {
		lines string
		want  bool
	}{
		"nothing":             {"", false},
		"a hundred in vain":   {"half a line\n" + strings.Repeat(vain, 100), true},
		"not so many":         {"half a line\n" + strings.Repeat(vain, 99), false},
		"one of use":          {"\n" + strings.Repeat(vain, 50) + "7 1.000000 read(5, \"\", 9) = 1 <0.000001>\n" + strings.Repeat(vain, 50), false},
		"other calls between": {"\n" + strings.Repeat(vain+"8 1.000000 futex(0x1) = 0 <0.000001>\n", 100), true},
		"others in vain":      {"\n" + strings.Repeat("8 1.000000 futex(0x1) = -1 EAGAIN (Resource temporarily unavailable) <0.000001>\n", 200), false},
		"a call under way":    {"\n" + strings.Repeat(vain, 100) + "7 1.000000 write(5, ", true},
	} {
		if got := polls(c.lines); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
