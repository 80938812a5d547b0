//go:build unix

package main

import (
	"fmt"
	"io"

	"ioflavors/kvproto"
)

// getCommand prints the value of a key and a newline.
func getCommand(args []string, s streams) error {
	f := newFlags("get")
	if err := f.parse(args, "KEY"); err != nil {
		return err
	}
	key := f.Arg(0)
	reply, err := f.to.ask(kvproto.Message{Key: []byte(key), Kind: kvproto.Get})
	if err != nil {
		return err
	}
	m, _, _ := kvproto.Parse(reply)
	if m.Kind != kvproto.GetResponse || string(m.Key) != key {
		return fmt.Errorf("get %s: the server answers %s", key, kv{}.text(reply))
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
	reply, err := f.to.ask(kvproto.Message{Key: []byte(key), Value: value, Kind: kvproto.PutOrUpdate})
	if err != nil {
		return err
	}
	if m, _, _ := kvproto.Parse(reply); m.Kind != kvproto.PutOrUpdate || m.Status != kvproto.Ok {
		return fmt.Errorf("put %s: the server answers %s", key, kv{}.text(reply))
	}
	fmt.Fprintln(s.out, "OK")
	return nil
}

// ask sends a request and returns its reply.
func (e endpoint) ask(request kvproto.Message) ([]byte, error) {
	frame := kvproto.Append(nil, &request)
	if len(frame) > kvproto.MaxFrame+4 {
		return nil, fmt.Errorf("key and value make a frame of %d bytes: the limit is %d", len(frame)-4, kvproto.MaxFrame)
	}
	return e.exchange(kv{}, frame)
}
