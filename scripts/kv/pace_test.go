//go:build unix

package main

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"time"
)

// figures returns rps, avg, min, p50, p95, p99 and max of the only test in out.
func figures(t *testing.T, out string) []float64 {
	t.Helper()
	checkCSV(t, out)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []float64
	for _, cell := range rows[1][1:] {
		x, _ := strconv.ParseFloat(cell, 64)
		list = append(list, x)
	}
	return list
}

// A test that ends after a time goes on until then, and not much longer; storing the
// key is not part of it.
func TestBenchDuration(t *testing.T) {
	for _, options := range []string{"-t put -c 3", "-t get -c 3 -P 4", "-t get -c 3 -R 100"} {
		t.Run(options, func(t *testing.T) {
			var s server
			at := s.start(t)
			begin := time.Now()
			status, out, stderr := kvRun("", cmd("bench", at, append([]string{"-csv", "-T", "0.3"}, strings.Fields(options)...)...)...)
			if status != 0 || stderr != "" {
				t.Fatalf("got %d %q", status, stderr)
			}
			checkCSV(t, out)
			if d := time.Since(begin); d < 300*time.Millisecond {
				t.Errorf("it ends after %v", d)
			}
		})
	}
}

// With -n as well, the test ends when the first of both is reached.
func TestBenchDurationAndRequests(t *testing.T) {
	var s server
	at := s.start(t)
	if status, _, stderr := kvRun("", cmd("bench", at, "-t", "put", "-n", "20", "-T", "600")...); status != 0 {
		t.Fatalf("got %d %q", status, stderr)
	}
	if got := s.counts(); got[opPut] != 20 {
		t.Errorf("%d puts, want 20", got[opPut])
	}
}

// In a test of a given time, nobody is served only because another has left.
func TestBenchDurationSerialServer(t *testing.T) {
	keepPatience(t)
	s := server{serial: true}
	at := s.start(t)
	status, out, stderr := kvRun("", cmd("bench", at, "-t", "put", "-c", "2", "-T", "0.2", "-w", "0.6", "-q")...)
	if status != 3 || out != "" || !strings.HasPrefix(stderr, "kv: PUT: nothing received for 600ms from ") {
		t.Errorf("got %d %q %q, want 3", status, out, stderr)
	}
	if !strings.Contains(stderr, "on 1 of 1 connections") {
		t.Errorf("the client that was served is not done: %q", stderr)
	}
}

// Requests come no faster than they should, also with many clients and pipelines.
func TestBenchRate(t *testing.T) {
	for _, options := range []string{"-c 1 -n 20 -R 100", "-c 4 -n 40 -R 200", "-c 2 -n 160 -P 8 -R 800"} {
		t.Run(options, func(t *testing.T) {
			var s server
			at := s.start(t)
			begin := time.Now()
			status, _, stderr := kvRun("", cmd("bench", at, append([]string{"-t", "put", "-csv"}, strings.Fields(options)...)...)...)
			if status != 0 {
				t.Fatalf("got %d %q", status, stderr)
			}
			if d := time.Since(begin); d < 175*time.Millisecond { // of 200, less what is sent at once
				t.Errorf("it takes only %v", d)
			}
		})
	}
}

// While the server holds one reply back, all requests that become due are late, and
// say so.
func TestBenchRateLate(t *testing.T) {
	s := server{twist: func(o op, i int, right []byte) []byte {
		if i == 5 {
			time.Sleep(300 * time.Millisecond)
		}
		return right
	}}
	at := s.start(t)
	status, out, stderr := kvRun("", cmd("bench", at, "-t", "put", "-csv", "-c", "1", "-n", "40", "-R", "100")...)
	if status != 0 {
		t.Fatalf("got %d %q", status, stderr)
	}
	// Of 40 requests, 30 wait for 300, 290, 280 ... ms.
	f := figures(t, out)
	if p50, p95 := f[3], f[4]; p50 < 60 || p95 < 200 {
		t.Errorf("p50 %v and p95 %v ms, want 100 and 280 at least", p50, p95)
	}
}

// A server that closes connections that are idle is met again when the next request
// is due.
func TestBenchRateClosed(t *testing.T) {
	s := server{twist: func(o op, i int, right []byte) []byte {
		if i%4 == 3 {
			return nil
		}
		return right
	}}
	at := s.start(t)
	status, _, stderr := kvRun("", cmd("bench", at, "-t", "put", "-q", "-c", "2", "-n", "20", "-R", "200")...)
	if status != 1 || !strings.Contains(stderr, "connection closed instead") {
		t.Errorf("got %d %q, want 1", status, stderr)
	}
}

func TestBenchKey(t *testing.T) {
	for _, proto := range []string{"kv", "resp"} {
		s := server{resp: proto == "resp"}
		at := s.start(t)
		// The key is also a part of the request's other words.
		status, _, stderr := kvRun("", cmd("bench", at, "-proto", proto, "-q", "-n", "100", "-P", "7", "-c", "3", "-key", "E")...)
		s.mu.Lock()
		defer s.mu.Unlock()
		if status != 0 || stderr != "" || len(s.db) != 1 || s.db["E"] != "xxx" {
			t.Errorf("%s: got %d %q, stored %q", proto, status, stderr, s.db)
		}
	}
}
