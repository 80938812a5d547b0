package main

import (
	"bytes"
	"math/bits"
	"sync"
)

const (
	minRead   = 1 << 10  // bytes that a read has room for, at least
	maxRead   = 1 << 20  // bytes that a read takes, at most: other clients are waiting
	minBuffer = 16 << 10 // bytes in the smallest buffer
)

var empty = new(bytes.Buffer) // shared by all sessions without data; has no capacity
var pools [10]sync.Pool       // unused buffers; those in pools[i] have minBuffer<<i bytes

// begin makes room to read into. end gives back what is not needed until the next turn.
func (s *session) begin() { s.in = fit(s.in, minRead, s.ahead()) }
func (s *session) end()   { s.in, s.out = fit(s.in, 0, s.ahead()), fit(s.out, 0, s.out.Len()/2) }

// ahead returns how much spare room to give the input: half of what has arrived, or more if its
// request lacks more; at most 7 times what has arrived, as a client may promise what never comes.
func (s *session) ahead() int {
	have := s.in.Len()
	return max(have/2, 7*min(s.need/7, have))
}

// room returns an empty slice for the next n bytes of output: append to it, then s.out.Write it.
func (s *session) room(n int) []byte {
	if s.out.Available() < n {
		s.out = fit(s.out, n, s.out.Len()/2)
	}
	return s.out.AvailableBuffer()
}

// fit returns a buffer with the bytes of b and room for n more. It is b itself if its size is
// about right. Otherwise fit frees b and returns another buffer, with room for spare more.
func fit(b *bytes.Buffer, n, spare int) *bytes.Buffer {
	size := b.Len() + n
	if size > 0 && b.Available() >= n && b.Cap()/2 <= size+spare+minBuffer {
		return b
	}
	other := empty
	if size > 0 {
		other = alloc(size + spare)
		other.Write(b.Bytes())
	}
	free(b)
	return other
}

// alloc returns an empty buffer with room for n bytes: one from a pool, if there is one.
func alloc(n int) *bytes.Buffer {
	if i := pool(n); i < len(pools) {
		if b, ok := pools[i].Get().(*bytes.Buffer); ok {
			return b
		}
		n = minBuffer << i
	}
	return bytes.NewBuffer(make([]byte, 0, n))
}

// free returns b to its pool. A buffer that is too large for a pool, or that has grown by
// itself, is left to the garbage collector.
func free(b *bytes.Buffer) {
	if i := pool(b.Cap()); i < len(pools) && b.Cap() == minBuffer<<i {
		b.Reset()
		pools[i].Put(b)
	}
}

// pool returns the first pool whose buffers hold n bytes, or an index past the last pool.
func pool(n int) int { return bits.Len(uint(n-1) / minBuffer) }
