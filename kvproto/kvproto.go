// Package kvproto encodes and decodes the frames of the key-value protocol.
// It works on byte slices and does no I/O.
//
// A frame is one message between a length and a footer:
//
//	size      4 bytes, little endian: length of payload + 5
//	payload   size-5 bytes: a protobuf KeyValueMessage (keyvalue.proto)
//	footer    5 bytes: "@EOF@"
//
// Sources:
//   - the frame: "Many flavors of Networking IO" by Sarthak Makhija
//   - the payload: https://protobuf.dev/programming-guides/encoding/
//   - malformed payloads: the conformance tests in
//     https://github.com/protocolbuffers/protobuf
package kvproto

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Kind says what a message is for. Any uint32 can arrive.
type Kind uint32

const (
	Get         Kind = 1 // asks for the value of a key
	GetResponse Kind = 2 // answers a Get
	PutOrUpdate Kind = 3 // sets a key to a value; the answer has this kind too
)

// Status is the outcome that an answer reports. It is an open protobuf enum:
// any int32 can arrive.
type Status int32

const (
	Ok    Status = 0
	NotOk Status = 1
)

// Message is one KeyValueMessage. Key and Value are UTF-8.
type Message struct {
	Key, Value []byte
	Kind       Kind
	Status     Status
}

// MaxFrame is the largest size field, in bytes. A frame takes 4 bytes more.
const MaxFrame = 64 << 20

// The errors of Parse, in words that can be sent to the client.
var (
	ErrFrameSmall = errors.New("frame size is below 5")
	ErrFrameLarge = errors.New("frame size is above 64 MiB")
	ErrFooter     = errors.New("frame does not end in @EOF@")
	ErrMalformed  = errors.New("payload is not a valid protobuf message")
	ErrUTF8       = errors.New("payload has a string that is not valid UTF-8")
)

const (
	sizeLen = 4
	footer  = "@EOF@"
)

// The wire types: the low three bits of a tag.
const (
	wireVarint = iota
	wireFixed64
	wireBytes
	wireStartGroup
	wireEndGroup
	wireFixed32
)

// The tags of the known fields: field number and wire type, one byte each.
const (
	tagKey    = 1<<3 | wireBytes
	tagValue  = 2<<3 | wireBytes
	tagKind   = 3<<3 | wireVarint
	tagStatus = 4<<3 | wireVarint
)

const (
	maxTagLen    = 5   // bytes in the varint of a 32-bit tag
	maxVarintLen = 10  // bytes in the varint of a 64-bit number
	maxDepth     = 100 // groups within groups, as in protobuf for C++
)

// Parse decodes the frame at the start of in. It returns the message and the
// length of the frame in bytes.
//
// If n <= 0 and err is nil, the frame is incomplete: at least -n more bytes are
// needed. Finding that out takes constant time. A bad size is an error as soon as
// its 4 bytes have arrived. Every error is one of the Err variables; after it, the
// stream cannot be parsed any further. Parse does not allocate.
//
// Key and Value alias in and are valid until it changes. Unknown fields are
// skipped. Groups nested more than 100 deep are malformed.
func Parse(in []byte) (m Message, n int, err error) {
	if len(in) < sizeLen {
		return Message{}, len(in) - sizeLen, nil
	}
	size := binary.LittleEndian.Uint32(in)
	if size < uint32(len(footer)) {
		return Message{}, 0, ErrFrameSmall
	}
	if size > MaxFrame {
		return Message{}, 0, ErrFrameLarge
	}
	n = sizeLen + int(size)
	if len(in) < n {
		return Message{}, len(in) - n, nil
	}
	end := n - len(footer)
	if string(in[end:n]) != footer {
		return Message{}, 0, ErrFooter
	}
	if err := m.consume(in[sizeLen:end]); err != nil {
		return Message{}, 0, err
	}
	return m, n, nil
}

// Append appends the frame of m to out. It grows out at most once.
//
// Append checks nothing. The caller must make sure that Key and Value are valid
// UTF-8 and that the size is within MaxFrame; otherwise the peer refuses the frame.
func Append(out []byte, m *Message) []byte {
	size := m.size() + len(footer)
	out = slices.Grow(out, sizeLen+size)
	out = binary.LittleEndian.AppendUint32(out, uint32(size))
	out = m.append(out)
	return append(out, footer...)
}

// append appends the payload in its canonical form: fields in the order of
// their numbers, zero values left out.
func (m *Message) append(b []byte) []byte {
	b = appendBytesField(b, tagKey, m.Key)
	b = appendBytesField(b, tagValue, m.Value)
	b = appendVarintField(b, tagKind, uint64(m.Kind))
	return appendVarintField(b, tagStatus, uint64(m.Status)) // sign-extended: 10 bytes if negative
}

// size returns the number of bytes that append appends.
func (m *Message) size() int {
	return sizeBytesField(m.Key) + sizeBytesField(m.Value) +
		sizeVarintField(uint64(m.Kind)) + sizeVarintField(uint64(m.Status))
}

// consume decodes the payload b into m. If a field is repeated, the last one wins.
// A known field number with another wire type is an unknown field.
func (m *Message) consume(b []byte) error {
	for len(b) > 0 {
		tag, n := consumeTag(b)
		if n == 0 {
			return ErrMalformed
		}
		b = b[n:]
		var v uint64
		switch tag {
		case tagKey:
			if m.Key, n = consumeBytes(b); !utf8.Valid(m.Key) {
				return ErrUTF8
			}
		case tagValue:
			if m.Value, n = consumeBytes(b); !utf8.Valid(m.Value) {
				return ErrUTF8
			}
		case tagKind:
			v, n = consumeVarint(b)
			m.Kind = Kind(v) // the low 32 bits, as the spec says
		case tagStatus:
			v, n = consumeVarint(b)
			m.Status = Status(v) // likewise
		default:
			n = skipValue(b, tag, 0)
		}
		if n == 0 {
			return ErrMalformed
		}
		b = b[n:]
	}
	return nil
}

func appendBytesField(b []byte, tag byte, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = appendVarint(append(b, tag), uint64(len(v)))
	return append(b, v...)
}

func sizeBytesField(v []byte) int {
	if len(v) == 0 {
		return 0
	}
	return 1 + sizeVarint(uint64(len(v))) + len(v)
}

func appendVarintField(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendVarint(append(b, tag), v)
}

func sizeVarintField(v uint64) int {
	if v == 0 {
		return 0
	}
	return 1 + sizeVarint(v)
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// sizeVarint is for v > 0: zero values are not encoded.
func sizeVarint(v uint64) int {
	return (bits.Len64(v) + 6) / 7
}

// The consume functions take one item from the start of b. They return its
// length n, or n == 0 if it is cut short or breaks the rules.

// consumeTag takes a field number and a wire type. The number is from 1 to
// 2^29-1, so a tag has 32 bits.
func consumeTag(b []byte) (tag uint32, n int) {
	v, n := consumeVarint(b)
	if n > maxTagLen || v > math.MaxUint32 || v>>3 == 0 {
		return 0, 0
	}
	return uint32(v), n
}

// consumeBytes takes a length and that many bytes, which alias b.
func consumeBytes(b []byte) (v []byte, n int) {
	size, n := consumeVarint(b)
	if n == 0 || size > uint64(len(b)-n) {
		return nil, 0
	}
	end := n + int(size)
	return b[n:end:end], end
}

// consumeVarint takes seven bits from each byte, the lowest first. It is split
// so that the usual case, one byte, is inlined.
func consumeVarint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return consumeLongVarint(b)
}

func consumeLongVarint(b []byte) (v uint64, n int) {
	for i, c := range b[:min(len(b), maxVarintLen)] {
		if i == maxVarintLen-1 && c > 1 { // more than 64 bits, or more than 10 bytes
			return 0, 0
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// skipValue returns the length of the value that follows tag, or 0. The value is
// nested in depth groups.
func skipValue(b []byte, tag uint32, depth int) (n int) {
	switch tag & 7 {
	case wireVarint:
		_, n = consumeVarint(b)
	case wireFixed64:
		if len(b) >= 8 {
			n = 8
		}
	case wireBytes:
		_, n = consumeBytes(b)
	case wireStartGroup:
		n = skipGroup(b, tag-wireStartGroup+wireEndGroup, depth+1)
	case wireFixed32:
		if len(b) >= 4 {
			n = 4
		}
	}
	return n // 0 for the end of a group that was not begun, and for wire types 6 and 7
}

// skipGroup returns the length of a group's fields and its end tag, or 0.
func skipGroup(b []byte, endTag uint32, depth int) int {
	if depth > maxDepth {
		return 0
	}
	for i := 0; i < len(b); {
		tag, n := consumeTag(b[i:])
		if n == 0 {
			return 0
		}
		i += n
		if tag == endTag {
			return i
		}
		if n = skipValue(b[i:], tag, depth); n == 0 {
			return 0
		}
		i += n
	}
	return 0
}
