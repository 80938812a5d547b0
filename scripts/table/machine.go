package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// describeMachine prints how, when and where a script measures; the script's command line
// is its argument.
func describeMachine(args []string, out io.Writer) error {
	redis := find(`(?i)^((?:valkey|redis) server v=\S+)`, output("redis-server", "--version"))
	redis = strings.NewReplacer("Redis server v=", "", " server v=", " ").Replace(redis)
	if redis == "" {
		redis = "not installed"
	}
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, err := fmt.Fprintf(out, `command     %s
date        %s
system      %s
processor   %s (%s)
cores       %d
go          %s
redis       %s
`, strings.Join(args, " "), time.Now().Format("2006-01-02 15:04:05 -0700"), output("uname", "-sr"),
		processor(string(text)), output("uname", "-m"), runtime.NumCPU(), runtime.Version(), redis)
	return err
}

// processor returns the name of the processor, or of the machine. Not every Linux tells it
// in /proc/cpuinfo.
func processor(cpuinfo string) string {
	for _, name := range []string{
		find(`model name\s*: *(.+)`, cpuinfo),
		find(`(?m)^Model name: *(\w.*)`, output("lscpu")),
		output("sysctl", "-n", "machdep.cpu.brand_string"),
		output("sysctl", "-n", "hw.model"),
	} {
		if name != "" {
			return name
		}
	}
	return "unknown"
}

// find returns what the last group of a regular expression matches.
func find(re, text string) string {
	m := regexp.MustCompile(re).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[len(m)-1]
}

// output returns what a program prints, or nothing if it fails.
func output(name string, args ...string) string {
	text, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
