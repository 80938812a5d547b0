// Package respproto is a codec for RESP, the Redis serialization protocol, in
// its versions 2 and 3. It works on buffers and does no I/O.
//
// A server keeps one [Session] for each connection, gives the bytes that it has
// received to [Session.Parse], and appends replies to its output:
//
//	for !quit {
//		args, n, err := s.Parse(in, nil)
//		if n <= 0 {
//			out = respproto.AppendError(out, err)
//			quit = err != nil
//			break // if not quit, read at least -n more bytes and try again
//		}
//		in = in[n:]
//		switch respproto.Lookup(args) {
//		case respproto.Get:
//			out = s.AppendValue(out, db[string(args[1])])
//		...
//		default:
//			out, quit = s.AppendOther(out, args, len(db))
//		}
//	}
//
// A request is an array of bulk strings,
//
//	*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n
//
// or an inline command: words on a line, as typed into telnet. Where the
// specification is silent, this package does what redis-server 7 does.
//
// Sources: https://redis.io/docs/latest/develop/reference/protocol-spec/ and,
// for the commands, https://redis.io/docs/latest/commands/.
package respproto

// Limits on a request. They are those of redis-server, except that MaxArgs is
// the limit from before version 7.
const (
	MaxLine = 64 << 10  // bytes in an inline command or in a header line
	MaxArgs = 1 << 20   // arguments of a request, its name included
	MaxBulk = 512 << 20 // bytes in one argument
)
