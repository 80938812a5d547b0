//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const first = "7  read(5, \"*3\\r\\n\"..., 16384) = 38\n"
	for name, c := range map[string]struct {
		output string
		want   []call
	}{
		"a call": {
			first,
			[]call{{"7", 0, len(first), "read", []string{"5", `""...`, "16384"}, "38"}},
		},
		"an error": {
			first + "7  accept4(5, 0x2a, [112], SOCK_NONBLOCK) = -1 EAGAIN (Resource temporarily unavailable)\n",
			[]call{
				{"7", 0, len(first), "read", []string{"5", `""...`, "16384"}, "38"},
				{"7", len(first), len(first) + 89, "accept", []string{"5", "0x2a", "[112]", "SOCK_NONBLOCK"},
					"-1 EAGAIN (Resource temporarily unavailable)"},
			},
		},
		"halves of two threads' calls": {
			"7 read(5,  <unfinished ...>\n" +
				"8 write(6, \"x\\\") = 1,\", 6 <unfinished ...>\n" +
				"8 <... write resumed>)     = 6\n" +
				"7 <... read resumed>\"\", 16384) = 0\n",
			[]call{
				{"8", 28, 102, "write", []string{"6", `""`, "6"}, "6"},
				{"7", 0, 137, "read", []string{"5", `""`, "16384"}, "0"},
			},
		},
		"calls that wait": {
			"7 read(5, <unfinished ...>\n8 getpid() = 7\n8 epoll_pwait(4, ",
			[]call{
				{"8", 27, 42, "getpid", []string{""}, "7"},
				{"7", 0, never, "read", []string{"5", ""}, ""},
				{"8", 42, never, "epoll_wait", []string{"4", ""}, ""},
			},
		},
		"a call that is not printed to its end": {
			"7 read(5, \"\", 16384) = 1",
			[]call{{"7", 0, never, "read", []string{"5", `""`}, ""}},
		},
		"a call that a signal interrupts": {
			"7 accept4(9, 0x1, [112], 0) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n",
			[]call{{"7", 0, 83, "accept", []string{"9", "0x1", "[112]", "0"}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"}},
		},
		"an end": {
			"7 exit_group(0) = ?\n7 ???( <unfinished ...>\n7 +++ exited with 0 +++\n8 --- SIGURG {si_signo=SIGURG} ---\n",
			[]call{{"7", 0, 20, "exit_group", []string{"0"}, "?"}},
		},
		"a half without its other, and a part of a line": {
			"7 <... futex resumed>) = 0\n7 fut",
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
	for _, output := range []string{"12:00:00 read(5) = 1\n", "7 1.5 read(5) = 1\n", "strace: attach\n7 getpid() = 7\n"} {
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
	const vain = "7 read(5, 0x1, 9) = -1 EAGAIN (Resource temporarily unavailable)\n"
	for name, c := range map[string]struct {
		lines string
		want  bool
	}{
		"nothing":             {"", false},
		"a hundred in vain":   {"half a line\n" + strings.Repeat(vain, 100), true},
		"not so many":         {"half a line\n" + strings.Repeat(vain, 99), false},
		"one of use":          {"\n" + strings.Repeat(vain, 50) + "7 read(5, \"\", 9) = 1\n" + strings.Repeat(vain, 50), false},
		"other calls between": {"\n" + strings.Repeat(vain+"8 futex(0x1) = 0\n", 100), true},
		"others in vain":      {"\n" + strings.Repeat("8 futex(0x1) = -1 EAGAIN (Resource temporarily unavailable)\n", 200), false},
		"a call under way":    {"\n" + strings.Repeat(vain, 100) + "7 write(5, ", true},
	} {
		if got := polls(c.lines); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
