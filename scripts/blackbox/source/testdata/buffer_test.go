package main

import (
	"bytes"
	"testing"
)

// A watch counts the bytes that are copied when a session's buffers move.
type watch struct {
	*session
	copied int
}

func (w *watch) after(in, out *bytes.Buffer) {
	if w.in != in {
		w.copied += w.in.Len()
	}
	if w.out != out {
		w.copied += w.out.Len()
	}
}

func (w *watch) begin() { defer w.after(w.in, w.out); w.session.begin() }
func (w *watch) end()   { defer w.after(w.in, w.out); w.session.end() }

func (w *watch) reply(v []byte) {
	defer w.after(w.in, w.out)
	w.out.Write(append(w.room(len(v)), v...))
}

// A client that takes its replies in small pieces costs work in proportion to their bytes.
func TestOutput(t *testing.T) {
	for _, size := range []int{100, 10_000, 1 << 20} {
		for _, piece := range []int{3_000, 30_000, 300_000} {
			s := newSession()
			w, sent := watch{session: &s}, 0
			for range 300 {
				w.begin()
				for w.out.Len() < maxOut {
					w.reply(make([]byte, size))
				}
				sent += len(w.out.Next(piece))
				w.end()
			}
			if most := 3*sent + 8*maxOut; w.copied > most {
				t.Errorf("replies of %d bytes, sent in pieces of %d: %d bytes copied for %d sent", size, piece, w.copied, sent)
			}
		}
	}
}

// So does a request that comes in small pieces, whatever others have left in the pools.
func TestInput(t *testing.T) {
	for _, size := range []int{10_000, 3_900_000, 20 << 20} {
		for _, odd := range []int{size / 2, size * 3 / 4, size + 500, 2 * size} {
			for range 4 { // grown by themselves, and of no use to anybody
				free(bytes.NewBuffer(make([]byte, 0, odd)))
			}
			s := newSession()
			w, came := watch{session: &s}, 0
			for ; came < size; w.end() {
				w.need = size - came
				w.begin()
				n, _ := w.in.Write(make([]byte, min(1000, w.in.Available())))
				came += n
			}
			if w.copied > 3*came {
				t.Errorf("a request of %d bytes, with buffers of %d around: %d bytes copied", size, odd, w.copied)
			}
			if most := 2*size + 2*minBuffer; w.in.Cap() > most {
				t.Errorf("a request of %d bytes is in a buffer of %d", size, w.in.Cap())
			}
		}
	}
}

// Memory follows what has come, up to the sizes that 32 bits can hold.
func TestAhead(t *testing.T) {
	for _, c := range []struct{ have, need, want int }{
		{0, 1 << 30, 0}, {1000, 1 << 30, 7000}, {1000, 700, 700}, {1000, -3, 500}, {1 << 20, 0, 1 << 19}, {400 << 20, 300 << 20, 300 << 20},
	} {
		s := session{in: bytes.NewBuffer(make([]byte, c.have)), need: c.need}
		if got := s.ahead(); got > c.want || got < c.want-6 {
			t.Errorf("ahead with %d bytes, %d needed: %d; want %d", c.have, c.need, got, c.want)
		}
	}
}

// A buffer has one owner: alloc gives nobody what somebody has.
func TestAlloc(t *testing.T) {
	owned := map[*bytes.Buffer]bool{}
	for i := range 1000 {
		n := 1 + i*7919%(9<<20)
		b := alloc(n)
		if owned[b] || b.Len() > 0 || b.Available() < n {
			t.Fatalf("alloc(%d) gave a buffer with %d bytes and room for %d; owned before: %t", n, b.Len(), b.Available(), owned[b])
		}
		if owned[b] = true; i%3 == 0 {
			b.WriteByte('x')
			delete(owned, b)
			free(b)
		}
	}
}
