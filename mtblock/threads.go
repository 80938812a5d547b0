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

const spare = 8 // threads for the Go runtime itself, at least

// threads returns how many clients can have a thread at the same time.
func threads() int {
	if runtime.GOOS != "linux" {
		return 1000 // FreeBSD allows a process 1,500 threads, macOS 2,048 or more
	}
	most := uint64(9500 + spare) // Go ends a process that needs more than 10,000
	for _, group := range groups() {
		limit := number(group+"/pids.max", 1<<63)
		free := limit - min(limit, number(group+"/pids.current", 0))
		most = min(most, free/2) // leave half to others in the control group
	}
	for _, file := range []string{"threads-max", "pid_max"} {
		most = min(most, number("/proc/sys/kernel/"+file, 1<<63)/2) // leave half to others
	}
	var user unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &user) == nil {
		most = min(most, uint64(user.Cur)/4) // so that the user can run a second server
	}
	return max(int(most)-spare, 1)
}

// groups returns the folders of this process's control groups, and of those that contain them.
func groups() (folders []string) {
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":") // number:controllers:path
		controllers, group, _ := strings.Cut(line, ":")
		for ; len(group) > 1; group = path.Dir(group) {
			folders = append(folders, path.Join("/sys/fs/cgroup", controllers, group))
		}
		folders = append(folders, path.Join("/sys/fs/cgroup", controllers))
	}
	return folders
}

// number returns the number that a file begins with; if there is none, it returns otherwise.
func number(file string, otherwise uint64) (n uint64) {
	text, _ := os.ReadFile(file)
	if _, err := fmt.Sscan(string(text), &n); err != nil {
		return otherwise
	}
	return n
}
