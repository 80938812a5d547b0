package kvproto

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// frame puts payload into a frame, whatever it holds.
func frame(payload string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)+len(footer)))
	return append(b, payload+footer...)
}

// payload returns the canonical payload of m.
func payload(m *Message) string {
	b := Append(nil, m)
	return string(b[sizeLen : len(b)-len(footer)])
}

// message makes a Message. An empty string is an absent field.
func message(key, value string, kind Kind, status Status) Message {
	m := Message{Kind: kind, Status: status}
	if key != "" {
		m.Key = []byte(key)
	}
	if value != "" {
		m.Value = []byte(value)
	}
	return m
}

// equal reports whether a and b are the same message. On the wire an empty
// string and an absent one mean the same.
func equal(a, b Message) bool {
	return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value) && a.Kind == b.Kind && a.Status == b.Status
}

// The messages that the tests encode.
var messages = []struct {
	name string
	m    Message
}{
	{"empty", Message{}},
	{"get", message("key", "", Get, Ok)},
	{"found", message("key", "value", GetResponse, Ok)},
	{"missing", message("key", "", GetResponse, NotOk)},
	{"put", message("key", "value", PutOrUpdate, Ok)},
	{"put answer", message("", "", PutOrUpdate, Ok)},
	{"error", message("", "frame size is below 5", 0, NotOk)},
	{"value only", message("", "v", 0, 0)},
	{"unicode", message("schlüssel", "鍵 🔑 \u2028", GetResponse, Ok)},
	{"unicode limits", message("\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\ufffe\uffff", "\U00010000\U0010ffff", Get, Ok)},
	{"zero bytes", message("\x00", "a\x00b\x00", PutOrUpdate, Ok)},
	{"quotes and controls", message("\"'\\\n\r\t", "\x01\x1f\x7f", PutOrUpdate, Ok)},
	{"footer inside", message(footer, footer+footer, PutOrUpdate, Ok)},
	{"kind 127", message("", "", 127, Ok)},
	{"kind 128", message("", "", 128, Ok)},
	{"kind max", message("k", "", math.MaxUint32, Ok)},
	{"status 2", message("k", "", Get, 2)},
	{"status max", message("", "", Get, math.MaxInt32)},
	{"status -1", message("", "", Get, -1)},
	{"status min", message("", "", Get, math.MinInt32)},
	{"length 127", message(strings.Repeat("k", 127), strings.Repeat("v", 127), PutOrUpdate, Ok)},
	{"length 128", message(strings.Repeat("k", 128), strings.Repeat("v", 128), PutOrUpdate, Ok)},
	{"length 16384", message("k", strings.Repeat("v", 16384), PutOrUpdate, NotOk)},
}

func TestGolden(t *testing.T) {
	tests := []struct {
		m     Message
		frame string
	}{
		{Message{}, "\x05\x00\x00\x00@EOF@"},
		{message("k", "", Get, Ok), "\x0a\x00\x00\x00\x0a\x01k\x18\x01@EOF@"},
		{message("k", "vv", GetResponse, Ok), "\x0e\x00\x00\x00\x0a\x01k\x12\x02vv\x18\x02@EOF@"},
		{message("k", "", GetResponse, NotOk), "\x0c\x00\x00\x00\x0a\x01k\x18\x02\x20\x01@EOF@"},
		{message("", "", PutOrUpdate, Ok), "\x07\x00\x00\x00\x18\x03@EOF@"},
		{message("", "", math.MaxUint32, Ok), "\x0b\x00\x00\x00\x18\xff\xff\xff\xff\x0f@EOF@"},
		{message("", "", 0, -1), "\x10\x00\x00\x00\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01@EOF@"},
		{message("", "", 0, math.MinInt32), "\x10\x00\x00\x00\x20\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01@EOF@"},
		{
			message(strings.Repeat("k", 300), "", Get, Ok),
			"\x36\x01\x00\x00\x0a\xac\x02" + strings.Repeat("k", 300) + "\x18\x01@EOF@",
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.frame, string(Append(nil, &tt.m))); diff != "" {
			t.Errorf("Append(%+v) (-want +got):\n%s", tt.m, diff)
		}
		m, n, err := Parse([]byte(tt.frame))
		if n != len(tt.frame) || err != nil {
			t.Errorf("Parse(%q): n = %d, err = %v", tt.frame, n, err)
		}
		if diff := cmp.Diff(tt.m, m); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tt.frame, diff)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			b := Append([]byte("before"), &tt.m)
			rest, ok := bytes.CutPrefix(b, []byte("before"))
			if !ok {
				t.Fatalf("Append changed what was there: %q", b)
			}
			if want := sizeLen + tt.m.size() + len(footer); len(rest) != want {
				t.Errorf("frame has %d bytes, reckoned %d", len(rest), want)
			}
			checkParse(t, rest)
			m, _, _ := Parse(rest)
			if diff := cmp.Diff(tt.m, m); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFrames(t *testing.T) {
	tests := []struct {
		name string
		in   string
		err  error
	}{
		{"size 0", "\x00\x00\x00\x00", ErrFrameSmall},
		{"size 0, footer", "\x00\x00\x00\x00@EOF@", ErrFrameSmall},
		{"size 4", "\x04\x00\x00\x00EOF@", ErrFrameSmall},
		{"size max", "\x00\x00\x00\x04", nil},
		{"size max + 1", "\x01\x00\x00\x04", ErrFrameLarge},
		{"size 2^31", "\x00\x00\x00\x80", ErrFrameLarge},
		{"size 2^32 - 1", "\xff\xff\xff\xff", ErrFrameLarge},
		{"size 2^32 - 1, three bytes", "\xff\xff\xff", nil},
		{"big-endian size", "\x00\x00\x00\x05@EOF@", ErrFrameLarge},
		{"text", "*1\r\n$4\r\nPING\r\n", ErrFrameLarge},
		{"footer in lower case", "\x05\x00\x00\x00@eof@", ErrFooter},
		{"last byte of footer", "\x05\x00\x00\x00@EOF\x00", ErrFooter},
		{"footer too early", "\x06\x00\x00\x00@EOF@@", ErrFooter},
		{"footer too late", "\x05\x00\x00\x00\x18@EOF@", ErrFooter},
		{"footer before payload is judged", "\x06\x00\x00\x00\x07@EOF!", ErrFooter},
	}
	for _, tt := range tests {
		m, n, err := Parse([]byte(tt.in))
		if n > 0 || n != 0 && err != nil || err != tt.err || !equal(m, Message{}) {
			t.Errorf("%s: Parse = %+v, %d, %v; want error %v", tt.name, m, n, err, tt.err)
		}
		checkParse(t, []byte(tt.in))
	}
}

// The largest frame goes through, and one byte more does not.
func TestMaxFrame(t *testing.T) {
	value := bytes.Repeat([]byte("v"), MaxFrame-len(footer)-1-4) // 1 for the tag, 4 for the length
	b := Append(nil, &Message{Value: value})
	if got := binary.LittleEndian.Uint32(b); got != MaxFrame {
		t.Fatalf("size = %d, want %d", got, MaxFrame)
	}
	m, n, err := Parse(b)
	if n != len(b) || err != nil || !bytes.Equal(m.Value, value) {
		t.Errorf("Parse: n = %d, err = %v, %d bytes of value", n, err, len(m.Value))
	}
	b = Append(b[:0], &Message{Value: append(value, 'v')})
	if _, n, err := Parse(b); n != 0 || err != ErrFrameLarge {
		t.Errorf("one byte more: n = %d, err = %v", n, err)
	}
}

// lenient and strict mark the cases in which protoc's answer is not ours.
const (
	lenient = "protoc accepts"
	strict  = "protoc refuses"
)

// groups returns n groups within each other. The field number is 5.
func groups(n int) string {
	return strings.Repeat("\x2b", n) + strings.Repeat("\x2c", n)
}

// The rules of the wire, one by one. A case with err == nil gives the message m.
var wireCases = []struct {
	name    string
	payload string
	m       Message
	err     error
	protoc  string // lenient or strict, else it is as we are
}{
	// Order and repetition.
	{name: "empty", payload: ""},
	{name: "fields in reverse", payload: "\x20\x01\x18\x02\x12\x01v\x0a\x01k", m: message("k", "v", 2, NotOk)},
	{name: "last key wins", payload: "\x0a\x01a\x0a\x02bc", m: message("bc", "", 0, 0)},
	{name: "last key wins, empty", payload: "\x0a\x01a\x0a\x00"},
	{name: "last value wins", payload: "\x12\x03abc\x12\x01d", m: message("", "d", 0, 0)},
	{name: "last kind wins", payload: "\x18\x01\x18\x03", m: message("", "", 3, 0)},
	{name: "last kind wins, zero", payload: "\x18\x01\x18\x00"},
	{name: "last status wins", payload: "\x20\x01\x20\x00"},
	{name: "explicit zero values", payload: "\x0a\x00\x12\x00\x18\x00\x20\x00"},
	{name: "first key is not UTF-8", payload: "\x0a\x01\xff\x0a\x01a", err: ErrUTF8},

	// Varints.
	{name: "kind overlong", payload: "\x18\x81\x00", m: message("", "", 1, 0)},
	{name: "kind in ten bytes", payload: "\x18\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", m: message("", "", 1, 0)},
	{name: "kind 2^32 + 7", payload: "\x18\x87\x80\x80\x80\x10", m: message("", "", 7, 0)},
	{name: "kind 2^64 - 1", payload: "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", m: message("", "", math.MaxUint32, 0)},
	{name: "kind 2^64", payload: "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", err: ErrMalformed, protoc: lenient},
	{name: "kind in eleven bytes", payload: "\x18\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", err: ErrMalformed},
	{name: "kind without end", payload: "\x18" + strings.Repeat("\xff", 100), err: ErrMalformed},
	{name: "status 2^32 + 7", payload: "\x20\x87\x80\x80\x80\x10", m: message("", "", 0, 7)},
	{name: "status 2^31", payload: "\x20\x80\x80\x80\x80\x08", m: message("", "", 0, math.MinInt32)},
	{name: "status -1 in five bytes", payload: "\x20\xff\xff\xff\xff\x0f", m: message("", "", 0, -1)},
	{name: "status -1 in ten bytes", payload: "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", m: message("", "", 0, -1)},
	{name: "status 2^64", payload: "\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", err: ErrMalformed, protoc: lenient},
	{name: "unknown varint of ten bytes", payload: "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown varint 2^64", payload: "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", err: ErrMalformed, protoc: lenient},
	{name: "unknown varint of eleven bytes", payload: "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", err: ErrMalformed},

	// Tags.
	{name: "tag overlong", payload: "\x98\x00\x01", m: message("", "", 1, 0)},
	{name: "tag in five bytes", payload: "\x98\x80\x80\x80\x00\x01", m: message("", "", 1, 0)},
	{name: "tag in six bytes", payload: "\x98\x80\x80\x80\x80\x00\x01", err: ErrMalformed},
	{name: "tag in ten bytes", payload: "\x98\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01", err: ErrMalformed},
	{name: "tag 2^32", payload: "\x80\x80\x80\x80\x10\x01", err: ErrMalformed},
	{name: "tag 2^32 + kind", payload: "\x98\x80\x80\x80\x10\x01", err: ErrMalformed, protoc: lenient},
	{name: "tag cut short", payload: "\x80", err: ErrMalformed},
	{name: "field number 2^29 - 1", payload: "\xf8\xff\xff\xff\x0f\x01\x18\x01", m: message("", "", 1, 0)},
	{name: "field number 0, varint", payload: "\x00\x00", err: ErrMalformed},
	{name: "field number 0, fixed64", payload: "\x01DEADBEEF", err: ErrMalformed},
	{name: "field number 0, bytes", payload: "\x02\x00", err: ErrMalformed},
	{name: "field number 0, group", payload: "\x03\x04", err: ErrMalformed},
	{name: "field number 0, fixed32", payload: "\x05DEAD", err: ErrMalformed},
	{name: "field number 0, overlong", payload: "\x80\x00\x00", err: ErrMalformed},
	{name: "zero byte at the end", payload: "\x18\x01\x00", err: ErrMalformed},
	{name: "wire type 6", payload: "\x2e\x01", err: ErrMalformed},
	{name: "wire type 7", payload: "\x2f\x01", err: ErrMalformed},
	{name: "wire type 6, known field", payload: "\x0e\x01", err: ErrMalformed},
	{name: "wire type 7, known field", payload: "\x1f\x01", err: ErrMalformed},

	// Unknown fields.
	{name: "unknown varint", payload: "\x28\x01\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown fixed64", payload: "\x29\x18\x02\x18\x02\x18\x02\x18\x02\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown fixed64 at the end", payload: "\x18\x01\x2912345678", m: message("", "", 1, 0)},
	{name: "unknown fixed32 at the end", payload: "\x18\x01\x2d1234", m: message("", "", 1, 0)},
	{name: "unknown bytes", payload: "\x2a\x02\x18\x02\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown bytes, empty", payload: "\x2a\x00\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown bytes are not UTF-8", payload: "\x2a\x01\xff\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown fixed32", payload: "\x2d\x18\x02\x18\x02\x18\x01", m: message("", "", 1, 0)},
	{name: "unknown group", payload: "\x2b\x2c\x18\x01", m: message("", "", 1, 0)},
	{name: "key as varint", payload: "\x08\x01\x18\x01", m: message("", "", 1, 0)},
	{name: "key as group", payload: "\x0b\x0c\x18\x01", m: message("", "", 1, 0)},
	{name: "value as fixed64", payload: "\x1112345678\x18\x01", m: message("", "", 1, 0)},
	{name: "value as fixed32", payload: "\x151234\x18\x01", m: message("", "", 1, 0)},
	{name: "kind as packed bytes", payload: "\x1a\x01\x05\x18\x01", m: message("", "", 1, 0)},
	{name: "kind as fixed32", payload: "\x1d\x05\x00\x00\x00\x20\x01", m: message("", "", 0, 1)},
	{name: "status as bytes", payload: "\x22\x01\x05\x18\x01", m: message("", "", 1, 0)},
	{name: "wrong type does not reset", payload: "\x0a\x01k\x08\x00", m: message("k", "", 0, 0)},

	// Groups.
	{name: "fields in a group", payload: "\x2b\x0a\x01a\x18\x07\x29\x2c\x2c\x2c\x2c\x2c\x2c\x2c\x2c\x2d\x2c\x2c\x2c\x2c\x2c\x18\x01", m: message("", "", 1, 0)},
	{name: "string in a group is not UTF-8", payload: "\x2b\x0a\x01\xff\x2c"},
	{name: "end tag within bytes in a group", payload: "\x2b\x0a\x01\x2c\x2c"},
	{name: "groups in a group", payload: "\x2b\x33\x34\x33\x2b\x2c\x34\x2c\x18\x01", m: message("", "", 1, 0)},
	{name: "group with an overlong end tag", payload: "\x2b\xac\x00"},
	{name: "group of the highest number", payload: "\xfb\xff\xff\xff\x0f\xfc\xff\xff\xff\x0f"},
	{name: "group without end", payload: "\x2b", err: ErrMalformed},
	{name: "group without end, with fields", payload: "\x2b\x18\x01", err: ErrMalformed},
	{name: "group ends with another number", payload: "\x2b\x34", err: ErrMalformed},
	{name: "groups end in the wrong order", payload: "\x2b\x33\x2c\x34", err: ErrMalformed},
	{name: "end without group", payload: "\x2c", err: ErrMalformed},
	{name: "end without group, known field", payload: "\x0c", err: ErrMalformed},
	{name: "end without group, after a group", payload: "\x2b\x2c\x2c", err: ErrMalformed},
	{name: "field number 0 in a group", payload: "\x2b\x00\x00\x2c", err: ErrMalformed},
	{name: "wire type 7 in a group", payload: "\x2b\x2f\x2c", err: ErrMalformed},
	{name: "field in a group cut short", payload: "\x2b\x29\x2c", err: ErrMalformed},
	{name: "groups 100 deep", payload: groups(100) + groups(100) + "\x18\x01", m: message("", "", 1, 0)},
	{name: "groups 101 deep", payload: groups(101), err: ErrMalformed},
	{name: "groups 100000 deep", payload: groups(100000), err: ErrMalformed},

	// Lengths.
	{name: "length overlong", payload: "\x0a\x81\x00k", m: message("k", "", 0, 0)},
	{name: "length in five bytes", payload: "\x0a\x81\x80\x80\x80\x00k", m: message("k", "", 0, 0)},
	// protobuf for Go and Java read these too; protobuf for C++ stops at five bytes.
	{name: "length in six bytes", payload: "\x0a\x81\x80\x80\x80\x80\x00k", m: message("k", "", 0, 0), protoc: strict},
	{name: "length in ten bytes", payload: "\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00k", m: message("k", "", 0, 0), protoc: strict},
	{name: "length in eleven bytes", payload: "\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00k", err: ErrMalformed},
	{name: "length 1 too long", payload: "\x0a\x02k", err: ErrMalformed},
	{name: "length 2^31 - 1", payload: "\x0a\xff\xff\xff\xff\x07k", err: ErrMalformed},
	{name: "length 2^31", payload: "\x0a\x80\x80\x80\x80\x08k", err: ErrMalformed},
	{name: "length 2^32 + 1", payload: "\x0a\x81\x80\x80\x80\x10k", err: ErrMalformed},
	{name: "length 2^63 - 1", payload: "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7fk", err: ErrMalformed},
	{name: "length 2^63", payload: "\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01k", err: ErrMalformed},
	{name: "length 2^64 - 1", payload: "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k", err: ErrMalformed},
	{name: "unknown length 2^63", payload: "\x2a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01k", err: ErrMalformed},
	{name: "unknown length 2^64 - 1", payload: "\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k", err: ErrMalformed},
	{name: "length reaches into the footer", payload: "\x0a\x05", err: ErrMalformed},

	// Cut short.
	{name: "key without length", payload: "\x0a", err: ErrMalformed},
	{name: "length cut short", payload: "\x0a\x80", err: ErrMalformed},
	{name: "key cut short", payload: "\x0a\x02k", err: ErrMalformed},
	{name: "value cut short", payload: "\x0a\x01k\x12\x01", err: ErrMalformed},
	{name: "kind missing", payload: "\x18", err: ErrMalformed},
	{name: "kind cut short", payload: "\x18\x80", err: ErrMalformed},
	{name: "status missing", payload: "\x20", err: ErrMalformed},
	{name: "unknown varint missing", payload: "\x28", err: ErrMalformed},
	{name: "unknown fixed64 cut short", payload: "\x291234567", err: ErrMalformed},
	{name: "unknown fixed32 cut short", payload: "\x2d123", err: ErrMalformed},
	{name: "unknown bytes cut short", payload: "\x2a\x02a", err: ErrMalformed},

	// UTF-8.
	{name: "key is not UTF-8", payload: "\x0a\x01\xff", err: ErrUTF8},
	{name: "value is not UTF-8", payload: "\x12\x02a\x80", err: ErrUTF8},
	{name: "rune cut short", payload: "\x12\x02\xe2\x82", err: ErrUTF8},
	{name: "rune split over key and value", payload: "\x0a\x02\xe2\x82\x12\x01\xac", err: ErrUTF8},
	{name: "rune overlong", payload: "\x12\x02\xc0\x80", err: ErrUTF8},
	{name: "surrogate", payload: "\x12\x03\xed\xa0\x80", err: ErrUTF8},
	{name: "above U+10FFFF", payload: "\x12\x04\xf4\x90\x80\x80", err: ErrUTF8},
	{name: "not UTF-8 after long ASCII", payload: "\x12\x41" + strings.Repeat("a", 64) + "\xff", err: ErrUTF8},
}

func TestWire(t *testing.T) {
	for _, tt := range wireCases {
		t.Run(tt.name, func(t *testing.T) {
			in := frame(tt.payload)
			m, n, err := Parse(in)
			if err != tt.err {
				t.Fatalf("err = %v, want %v", err, tt.err)
			}
			if err == nil && n != len(in) {
				t.Errorf("n = %d, want %d", n, len(in))
			}
			if !equal(m, tt.m) {
				t.Errorf("(-want +got):\n%s", cmp.Diff(tt.m, m))
			}
			checkParse(t, in)
		})
	}
}

// checkParse holds what is true of Parse for every input.
func checkParse(t *testing.T, in []byte) {
	t.Helper()
	before := bytes.Clone(in)
	m, n, err := Parse(in)
	if !bytes.Equal(in, before) {
		t.Fatalf("Parse changed its input")
	}
	if n > len(in) || err != nil && n != 0 {
		t.Fatalf("n = %d of %d, err = %v", n, len(in), err)
	}
	if n <= 0 && !equal(m, Message{}) {
		t.Fatalf("no frame, but a message: %+v", m)
	}
	checkPoison(t, in, m, n, err)
	checkSplit(t, in, m, n, err)
	if n > 0 {
		checkMessage(t, in[:n], m)
	}
}

// checkPoison checks that nothing beyond in, and nothing beyond the frame,
// changes the result.
func checkPoison(t *testing.T, in []byte, m Message, n int, err error) {
	t.Helper()
	for _, poison := range []string{"\x00", "\x80", "\xff", "@EOF@", "\x18\x01\x2c", string(frame("\x18\x01")), string(frame("\x07"))} {
		room := append(bytes.Clone(in), strings.Repeat(poison, 16)...)
		if pm, pn, perr := Parse(room[:len(in)]); pn != n || perr != err || !equal(pm, m) {
			t.Fatalf("with %q beyond the input: %+v, %d, %v; without: %+v, %d, %v", poison, pm, pn, perr, m, n, err)
		}
		if n <= 0 {
			continue
		}
		if pm, pn, perr := Parse(append(room[:n:n], poison...)); pn != n || perr != err || !equal(pm, m) {
			t.Fatalf("with %q beyond the frame: %+v, %d, %v; without: %+v, %d, %v", poison, pm, pn, perr, m, n, err)
		}
	}
}

// checkSplit feeds in byte by byte: an incomplete frame lacks the rest of its size, or of the
// frame, however wrong that will be; from the byte that decides on, Parse always gives the
// same result.
func checkSplit(t *testing.T, in []byte, m Message, n int, err error) {
	t.Helper()
	decides := math.MaxInt
	if err == ErrFrameSmall || err == ErrFrameLarge {
		decides = sizeLen
	} else if len(in) >= sizeLen {
		decides = sizeLen + int(binary.LittleEndian.Uint32(in))
	}
	if done := n > 0 || err != nil; done != (len(in) >= decides) {
		t.Fatalf("%d bytes: n = %d, err = %v, but byte %d decides", len(in), n, err, decides)
	}
	for i := 0; i < min(len(in), decides); i++ {
		lack := decides - i
		if i < sizeLen {
			lack = sizeLen - i
		}
		if sm, sn, serr := Parse(in[:i]); sn != -lack || serr != nil || !equal(sm, Message{}) {
			t.Fatalf("first %d bytes: %+v, %d, %v; want %d more", i, sm, sn, serr, lack)
		}
	}
	for i := decides; i < min(len(in), decides+64); i++ {
		if sm, sn, serr := Parse(in[:i]); sn != n || serr != err || !equal(sm, m) {
			t.Fatalf("first %d bytes: %+v, %d, %v; want %+v, %d, %v", i, sm, sn, serr, m, n, err)
		}
	}
}

// checkMessage checks m, which came from frame.
func checkMessage(t *testing.T, frame []byte, m Message) {
	t.Helper()
	for _, s := range [][]byte{m.Key, m.Value} {
		if !utf8.Valid(s) {
			t.Fatalf("%q is not UTF-8", s)
		}
		if cap(s) != len(s) {
			t.Fatalf("len = %d, cap = %d: an append would write into the input", len(s), cap(s))
		}
		if len(s) > 0 && !inside(frame[sizeLen:len(frame)-len(footer)], s) {
			t.Fatalf("%q does not lie in the payload", s)
		}
	}
	again := Append(nil, &m)
	if len(again) > len(frame) && m.Status >= 0 { // a negative status may have come in five bytes
		t.Fatalf("canonical frame has %d bytes, the original %d", len(again), len(frame))
	}
	am, an, err := Parse(again)
	if an != len(again) || err != nil || !equal(am, m) {
		t.Fatalf("encoded again: %+v, %d, %v; want %+v, %d", am, an, err, m, len(again))
	}
}

// inside reports whether s, not empty, is a part of b's memory.
func inside(b, s []byte) bool {
	for i := range b {
		if &b[i] == &s[0] {
			return len(s) <= len(b)-i
		}
	}
	return false
}

var sink []byte // keeps results on the heap

func TestAllocs(t *testing.T) {
	put := message("key", "value", PutOrUpdate, NotOk)
	ok := Append(nil, &put)
	out := make([]byte, 0, len(ok))
	big := Message{Value: bytes.Repeat([]byte("v"), 1<<16)}
	grow := testing.AllocsPerRun(100, func() { sink = slices.Grow([]byte(nil), len(big.Value)) }) // 2 with -race
	parse := func(in []byte) func() { return func() { Parse(in) } }
	tests := []struct {
		name string
		f    func()
		want float64
	}{
		{"Parse, a frame", parse(ok), 0},
		{"Parse, need more", parse(ok[:len(ok)-1]), 0},
		{"Parse, size too small", parse(make([]byte, 4)), 0},
		{"Parse, size too large", parse([]byte("\xff\xff\xff\xff")), 0},
		{"Parse, wrong footer", parse([]byte("\x05\x00\x00\x00@eof@")), 0},
		{"Parse, malformed", parse(frame("\x07")), 0},
		{"Parse, not UTF-8", parse(frame("\x0a\x01\xff")), 0},
		{"Parse, groups", parse(frame(groups(100))), 0},
		{"Append, with room", func() { Append(out, &put) }, 0},
		{"Append, without room", func() { sink = Append(nil, &put) }, 1},
		{"Append, without room, 64 KiB", func() { sink = Append(nil, &big) }, grow},
	}
	for _, tt := range tests {
		if got := testing.AllocsPerRun(100, tt.f); got != tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, got, tt.want)
		}
	}
}

// The messages that the benchmarks use.
var benchmarks = []struct {
	name string
	m    Message
}{
	{"small", message("key:000000000042", "xxx", PutOrUpdate, Ok)},
	{"1MiB", message("key:000000000042", strings.Repeat("x", 1<<20), PutOrUpdate, Ok)},
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			in := Append(nil, &bb.m)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, n, err := Parse(in); n != len(in) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			out := Append(nil, &bb.m)
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				out = Append(out[:0], &bb.m)
			}
		})
	}
}
