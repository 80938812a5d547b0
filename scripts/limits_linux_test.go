package scripts

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoFiles takes all descriptors from a server that runs, and then gives them
// back: a client who came meanwhile is served then.
func TestNoFiles(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		s.extra = noFiles
		first := s.dial(t)
		first.ask(d.put("k", "v"), d.ok)
		var limit unix.Rlimit
		if err := unix.Prlimit(s.pid(), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
			t.Fatal(err)
		}
		if err := unix.Prlimit(s.pid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}, nil); err != nil {
			t.Fatal(err)
		}
		if s.serial {
			first.leave()
		}
		c := s.dial(t)
		c.send(d.get("k"))
		await(t, "the word that there are no more files", func() bool {
			return noFiles.MatchString(readyLine.ReplaceAllString(s.log.String(), ""))
		})
		if !s.serial {
			for range 30 { // the garbage collector has to do without files, too
				first.ask(d.put("big", big), d.ok)
			}
		}
		s.expectQuiet(t, "without files")
		if err := unix.Prlimit(s.pid(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		c.expect(d.value("k", "v"))
	})
}
