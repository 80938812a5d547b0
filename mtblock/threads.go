//go:build unix

package main

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// threads is how many clients may have one: half of what the system allows and eight less,
// for the runtime wants some too, and others do. Of what is allowed to the user it is a
// quarter, so that a second server of the same user has its share.
func threads() int {
	if runtime.GOOS != "linux" {
		return 1000 // FreeBSD has 1,500 for a process, macOS 2,048 or more
	}
	most := uint64(2 * 9508) // Go ends a process that has 10,000
	var user unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &user) == nil {
		most = min(most, uint64(user.Cur)/2)
	}
	most = min(most, limit("/proc/sys/kernel/threads-max"), limit("/proc/sys/kernel/pid_max"))
	groups, _ := os.ReadFile("/proc/self/cgroup") // a line is number:controllers:path
	for line := range strings.Lines(string(groups)) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		controllers, at, _ := strings.Cut(line, ":")
		for ; len(at) > 1; at = path.Dir(at) { // a group, and those that it is in
			most = min(most, limit(path.Join("/sys/fs/cgroup", controllers, at, "pids.max")))
		}
		most = min(most, limit(path.Join("/sys/fs/cgroup", controllers, "pids.max"))) // of a container
	}
	return max(int(most/2)-8, 1)
}

// limit returns the number in a file, or a huge one.
func limit(file string) (n uint64) {
	text, _ := os.ReadFile(file)
	if _, err := fmt.Sscan(string(text), &n); err != nil {
		return 1 << 63
	}
	return n
}
