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

// describeMachine prints how, when and where a script measures; the script's command line is its
// argument.
func describeMachine(args []string, out io.Writer) error {
	redis := "not installed"
	if text := output("redis-server", "--version"); text != "" {
		redis = first(regexp.MustCompile(` v=(\S+)`), text)
	}
	_, err := fmt.Fprintf(out, `command     %s
date        %s
system      %s
processor   %s (%s)
cores       %d
go          %s
redis       %s
`, strings.Join(args, " "), time.Now().Format("2006-01-02 15:04:05 -0700"), output("uname", "-sr"),
		processor(), output("uname", "-m"), runtime.NumCPU(), runtime.Version(), redis)
	return err
}

// processor returns the name of the processor, or of the machine.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for _, name := range []string{
		first(regexp.MustCompile(`model name\s*: *(.+)`), string(text)),
		output("sysctl", "-n", "machdep.cpu.brand_string"),
		output("sysctl", "-n", "hw.model"),
	} {
		if name != "" {
			return name
		}
	}
	return "unknown"
}

// first returns what the first group of re matches.
func first(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// output returns what a program prints, or nothing if it fails.
func output(name string, args ...string) string {
	text, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
