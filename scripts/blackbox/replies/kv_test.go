package replies

import (
	"encoding/binary"
	"strings"
	"testing"

	"ioflavors/kvproto"
	"ioflavors/scripts/blackbox/driver"
)

var kv, frame, refused = driver.KV, driver.Frame, driver.Refused

// framed puts a payload, right or wrong, into a frame.
func framed(payload string) string {
	return string(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)+5))) + payload + "@EOF@"
}

// sized is a frame's first four bytes.
func sized(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

var kvReplies = []exchange{
	{"bytes on the wire",
		"\x0d\x00\x00\x00\x0a\x01k\x12\x01v\x18\x03@EOF@" + "\x0a\x00\x00\x00\x0a\x01k\x18\x01@EOF@",
		"\x07\x00\x00\x00\x18\x03@EOF@" + "\x0d\x00\x00\x00\x0a\x01k\x12\x01v\x18\x02@EOF@"},
	{"Get of nothing", "\x0a\x00\x00\x00\x0a\x01k\x18\x01@EOF@", "\x0c\x00\x00\x00\x0a\x01k\x18\x02\x20\x01@EOF@"},
	{"Put again", kv.Put("k", "v") + kv.Put("k", "w") + kv.Get("k"), kv.OK + kv.OK + kv.Value("k", "w")},
	{"an empty value is a value", kv.Put("k", "") + kv.Get("k"), kv.OK + kv.Value("k", "")},
	{"an empty key is a key", kv.Put("", "v") + kv.Get(""), kv.OK + kv.Value("", "v")},
	{"UTF-8 and line ends", kv.Put("κ\r\n\x00", "@EOF@\n語") + kv.Get("κ\r\n\x00"), kv.OK + kv.Value("κ\r\n\x00", "@EOF@\n語")},
	{"unknown kinds", frame(2, "k", "v", 0) + frame(4, "k", "v", 1) + frame(1<<32-1, "", "", 0) + kv.Put("k", "v"),
		frame(2, "k", "", 1) + frame(4, "k", "", 1) + frame(1<<32-1, "", "", 1) + kv.OK},
	{"an empty message has kind 0", framed(""), frame(0, "", "", 1)},
	{"unknown fields", framed("\x28\x01\x31abcdefgh\x3a\x02hi\x43\x08\x01\x44\x4dabcd" + "\x0a\x01k\x18\x01"), kv.Missing("k")},
	{"known numbers of another type", framed("\x08\x01\x15abcd\x1a\x01x\x22\x00" + "\x0a\x01k\x18\x01"), kv.Missing("k")},
	{"the last one wins", framed("\x0a\x01x\x18\x03\x0a\x01k\x18\x01"), kv.Missing("k")},
	{"fields in another order", framed("\x18\x01\x0a\x01k"), kv.Missing("k")},
	{"a kind of 64 bits", framed("\x0a\x01k\x18\x81\x80\x80\x80\xf0\x01"), kv.Missing("k")},
	{"a status in a request", frame(1, "k", "", 1), kv.Missing("k")},
	{"half a frame", kv.Get("k") + kv.Get("k")[:9], kv.Missing("k")},
	{"half a size", kv.Get("k") + "\x05\x00", kv.Missing("k")},
	{"nothing", "", ""},
}

var kvEnds = []exchange{
	{"size 0", sized(0), refused(kvproto.ErrFrameSmall)},
	{"size 4", sized(4), refused(kvproto.ErrFrameSmall)},
	{"size above the limit", sized(kvproto.MaxFrame + 1), refused(kvproto.ErrFrameLarge)},
	{"size of all ones", sized(1<<32 - 1), refused(kvproto.ErrFrameLarge)},
	{"wrong footer", "\x05\x00\x00\x00@EOF!", refused(kvproto.ErrFooter)},
	{"footer too early", "\x06\x00\x00\x00@EOF@@", refused(kvproto.ErrFooter)},
	{"field number 0", framed("\x00\x01"), refused(kvproto.ErrMalformed)},
	{"wire type 6", framed("\x0e\x01"), refused(kvproto.ErrMalformed)},
	{"end of no group", framed("\x0c"), refused(kvproto.ErrMalformed)},
	{"group without end", framed("\x0b\x10\x01"), refused(kvproto.ErrMalformed)},
	{"cut in a tag", framed("\x80"), refused(kvproto.ErrMalformed)},
	{"cut in a string", framed("\x0a\x05abc"), refused(kvproto.ErrMalformed)},
	{"cut in a number", framed("\x18\x80"), refused(kvproto.ErrMalformed)},
	{"a string of negative length", framed("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), refused(kvproto.ErrMalformed)},
	{"a number of 11 bytes", framed("\x18" + strings.Repeat("\x80", 10) + "\x01"), refused(kvproto.ErrMalformed)},
	{"a key that is not UTF-8", framed("\x0a\x01\xff\x18\x01"), refused(kvproto.ErrUTF8)},
	{"a value that is not UTF-8", framed("\x0a\x01k\x12\x03\xed\xa0\x80\x18\x03"), refused(kvproto.ErrUTF8)},
	{"groups within groups", framed(strings.Repeat("\x2b", 1000) + strings.Repeat("\x2c", 1000)), refused(kvproto.ErrMalformed)},
}

// TestKV tells the kinds of requests and their replies.
func TestKV(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, e := range kvReplies { // the protocol can't empty the dictionary
			e.run(t, driver.Start(t, f, "kv"), false)
		}
	})
}

// TestBigKV stores and gets the largest frame that there may be.
func TestBigKV(t *testing.T) {
	overhead := len(kv.Put("k", strings.Repeat("v", kvproto.MaxFrame/2))) - kvproto.MaxFrame/2
	v := strings.Repeat("0123456789abcdef", kvproto.MaxFrame/16)[:kvproto.MaxFrame+4-overhead]
	request, reply := kv.Put("k", v), kv.Value("k", v)
	if len(request) != kvproto.MaxFrame+4 || len(reply) != kvproto.MaxFrame+4 {
		t.Fatalf("request of %d bytes, reply of %d; want %d", len(request), len(reply), kvproto.MaxFrame+4)
	}
	unknown := frame(7, v+"xyz", "", kvproto.Ok) // with this key the reply would be too long
	if len(unknown) != kvproto.MaxFrame+4 {
		t.Fatalf("request of %d bytes, want %d", len(unknown), kvproto.MaxFrame+4)
	}
	driver.EachServer(t, []driver.Dialect{driver.KV}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		c := s.Dial(t)
		c.Ask(request, kv.OK)
		c.Ask(kv.Get("k"), reply)
		c.Ask(unknown, frame(7, "", "", kvproto.NotOk))
		c.Ask(kv.Get("nosuch"), kv.Missing("nosuch"))
		c.Send(kv.Get("nosuch") + sized(kvproto.MaxFrame+1))
		c.ExpectEnd(kv.Missing("nosuch") + refused(kvproto.ErrFrameLarge))
	})
}
