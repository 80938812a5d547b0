package kvproto

import (
	"math"
	"testing"
	"unicode/utf8"
)

// maxSeed keeps long seeds out, in bytes: the fuzzer would spend its time on
// making them shorter.
const maxSeed = 1000

// FuzzParse gives Parse bytes as a client may send them.
func FuzzParse(f *testing.F) {
	for _, tt := range messages {
		if tt.m.size() < maxSeed {
			f.Add(Append(nil, &tt.m))
		}
	}
	f.Add([]byte("\x04\x00\x00\x00"))
	f.Add([]byte("\x01\x00\x00\x04"))
	f.Add([]byte("\x05\x00\x00\x00@eof@"))
	f.Add(append(frame("\x18\x01"), frame("\x0a\x01k")...))
	f.Fuzz(func(t *testing.T, in []byte) {
		checkParse(t, in)
	})
}

// FuzzPayload puts its bytes into a frame, so that they all reach the protobuf
// decoder.
func FuzzPayload(f *testing.F) {
	for _, tt := range wireCases {
		if len(tt.payload) < maxSeed {
			f.Add(tt.payload)
		}
	}
	f.Fuzz(func(t *testing.T, payload string) {
		in := frame(payload)
		checkParse(t, in)
		if _, n, err := Parse(in); err == nil && n != len(in) {
			t.Fatalf("n = %d of %d: a whole frame wants more", n, len(in))
		}
	})
}

// FuzzMessage encodes a message and decodes it, alone and after other fields:
// the last of each field wins, whatever came before.
func FuzzMessage(f *testing.F) {
	for i, tt := range messages {
		if tt.m.size() < maxSeed {
			before := wireCases[i].payload
			f.Add(tt.m.Key, tt.m.Value, uint32(tt.m.Kind), int32(tt.m.Status), before)
		}
	}
	f.Add([]byte("\xff"), []byte("v"), uint32(1), int32(0), "\x2b\x0a\x01a\x2c")
	f.Add([]byte("k"), []byte("v"), uint32(math.MaxUint32), int32(math.MinInt32), "\x2a\x02ab\x12\x03abc")
	f.Fuzz(func(t *testing.T, key, value []byte, kind uint32, status int32, before string) {
		m := Message{key, value, Kind(kind), Status(status)}
		in := Append(nil, &m)
		checkParse(t, in)
		got, n, err := Parse(in)
		if !utf8.Valid(key) || !utf8.Valid(value) {
			if err != ErrUTF8 {
				t.Fatalf("err = %v, want %v", err, ErrUTF8)
			}
			return
		}
		if n != len(in) || err != nil || !equal(got, m) {
			t.Fatalf("decoded %+v, %d, %v; encoded %+v, %d", got, n, err, m, len(in))
		}

		first, _, err := Parse(frame(before))
		if err != nil {
			return
		}
		want := m // a zero value is not encoded, so the earlier field stays
		if len(key) == 0 {
			want.Key = first.Key
		}
		if len(value) == 0 {
			want.Value = first.Value
		}
		if kind == 0 {
			want.Kind = first.Kind
		}
		if status == 0 {
			want.Status = first.Status
		}
		both := frame(before + payload(&m))
		if got, _, err := Parse(both); err != nil || !equal(got, want) {
			t.Fatalf("after %q: %+v, %v; want %+v", before, got, err, want)
		}
	})
}
