//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"ioflavors/kvproto"
)

// getCommand prints the value of a key and a newline.
func getCommand(args []string, s streams) error {
	f := newFlags("get")
	if err := f.parse(args, "KEY"); err != nil {
		return err
	}
	key := f.Arg(0)
	m, err := f.ask(&kvproto.Message{Key: []byte(key), Kind: kvproto.Get}, kvproto.GetResponse)
	if err != nil {
		return err
	}
	if string(m.Key) != key {
		return fmt.Errorf("get %s: the reply is about another key, %q", key, m.Key)
	}
	if m.Status != kvproto.Ok {
		return fmt.Errorf("get %s: no such key", key)
	}
	fmt.Fprintf(s.out, "%s\n", m.Value)
	return nil
}

// putCommand stores a value.
func putCommand(args []string, s streams) error {
	f := newFlags("put")
	if err := f.parse(args, "KEY", "VALUE"); err != nil {
		return err
	}
	key, value := f.Arg(0), []byte(f.Arg(1))
	if f.Arg(1) == "-" {
		var err error
		value, err = io.ReadAll(io.LimitReader(s.in, kvproto.MaxFrame+1))
		if err != nil {
			return fmt.Errorf("standard input: %w", cause(err))
		}
	}
	m, err := f.ask(&kvproto.Message{Key: []byte(key), Value: value, Kind: kvproto.PutOrUpdate}, kvproto.PutOrUpdate)
	if err != nil {
		return err
	}
	if m.Status != kvproto.Ok {
		return fmt.Errorf("put %s: the server answers not Ok", key)
	}
	fmt.Fprintln(s.out, "OK")
	return nil
}

// ask sends a request and returns its reply, which must be of the given kind.
func (f *flags) ask(request *kvproto.Message, kind kvproto.Kind) (m kvproto.Message, err error) {
	frame := kvproto.Append(nil, request)
	if len(frame) > kvproto.MaxFrame+4 {
		return m, fmt.Errorf("key and value make a frame of %d bytes: the limit is %d", len(frame)-4, kvproto.MaxFrame)
	}
	to, err := resolve(f.host, int(f.port))
	if err != nil {
		return m, err
	}
	conn, err := net.DialTimeout("tcp", to.name, patience)
	if err != nil {
		return m, connectError(to, cause(err))
	}
	defer conn.Close()
	reply, err := exchange(conn, frame, frameLen)
	if errors.Is(err, kvproto.ErrFrameLarge) { // as any text is
		err = fmt.Errorf("%w (does the server run with -proto kv?)", err)
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", to.name, cause(err))
	}
	m, _, _ = kvproto.Parse(reply)
	if m.Kind == 0 && m.Status != kvproto.Ok {
		return m, fmt.Errorf("the server answers: %s", m.Value)
	}
	if m.Kind != kind {
		return m, fmt.Errorf("the reply is of kind %d, not %d", m.Kind, kind)
	}
	return m, nil
}

// exchange sends a request and returns the reply. A server may refuse a request
// before it has read it all: a reply says more than the error of the write.
func exchange(conn net.Conn, request []byte, length func(in []byte) (int, error)) ([]byte, error) {
	writeErr := send(conn, request)
	reply, err := receive(conn, length)
	if err != nil && writeErr != nil {
		err = writeErr
	}
	return reply, err
}

// send writes the request in pieces, each of which has patience.
func send(conn net.Conn, request []byte) error {
	for piece := range slices.Chunk(request, 1<<20) {
		conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := conn.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// frameLen returns the length of the frame at the start of in, or 0 if it is not
// complete.
func frameLen(in []byte) (int, error) {
	_, n, err := kvproto.Parse(in)
	return n, err
}

// receive reads one reply, whose end the function length finds. The buffer grows
// with what has arrived.
func receive(conn net.Conn, length func(in []byte) (int, error)) ([]byte, error) {
	in := make([]byte, 0, 4096)
	for {
		conn.SetReadDeadline(time.Now().Add(patience))
		n, readErr := conn.Read(in[len(in):cap(in)])
		in = in[:len(in)+n]
		n, err := length(in)
		if err != nil {
			return nil, fmt.Errorf("malformed reply: %w", err)
		}
		if n > 0 {
			return in[:n], nil
		}
		if readErr == io.EOF {
			return nil, errors.New("the server closed the connection without a reply")
		}
		if readErr != nil {
			return nil, readErr
		}
		if len(in) == cap(in) {
			in = slices.Grow(in, len(in))
		}
	}
}
