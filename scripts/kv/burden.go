//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// A burden is a group of connections that make a server work. Each has a goroutine:
// unlike those of a load they are few, or have little to do.
type burden struct {
	to        endpoint
	kind      string
	clients   int64
	requests  int64
	valueSize int64
	key       string
	duration  time.Duration

	request   []byte // what each connection sends
	reply     []byte // how the reply begins
	replySize int64  // bytes of it; 0: none is read
}

// maxOpening is how many connections wait for their first reply at a time. It is
// well below the backlog of the flavors.
const maxOpening = 1000

func burdenCommand(args []string, s streams) error {
	f := newFlags("burden")
	b := &burden{clients: 1, requests: 500, valueSize: 1_000_000, key: "burden", duration: time.Minute}
	f.number("c", &b.clients, 60_000)
	f.number("n", &b.requests, 1_000_000)
	f.number("d", &b.valueSize, kvproto.MaxFrame)
	f.text("key", &b.key, "want a key")
	f.seconds("T", &b.duration)
	if err := f.parse(args, "KIND"); err != nil {
		return err
	}
	b.kind = f.Arg(0)
	b.to = f.to
	if err := b.prepare(); err != nil {
		return err
	}
	if err := b.bear(s); err != nil {
		return fmt.Errorf("burden: %w", err)
	}
	return nil
}

// prepare makes the request of each connection, and stores what it asks for.
func (b *burden) prepare() error {
	ping := respproto.AppendCommand(nil, "PING")
	get := respproto.AppendCommand(nil, "GET", b.key)
	switch b.kind {
	case "idle":
		b.request, b.reply = ping, []byte("+PONG\r\n")
		b.replySize = int64(len(b.reply))
		return nil
	case "silent":
		b.request = ping[:len(ping)/2]
		return nil
	case "slow":
		b.request = bytes.Repeat(get, int(b.requests))
	case "heavy":
		b.request, b.reply = get, fmt.Appendf(nil, "$%d\r\n", b.valueSize)
		b.replySize = int64(len(b.reply)) + b.valueSize + 2
	default:
		return usageError("invalid kind %q: want idle, silent, slow or heavy", b.kind)
	}
	return b.to.store(b.key, strings.Repeat("x", int(b.valueSize)))
}

// bear opens the connections and keeps them open until the time is over. What a
// server leaves waiting is no reason to give up: it may serve only so many, or
// read no more.
func (b *burden) bear(s streams) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := make(chan error, 2*b.clients) // nil: a connection is set up
	var opened, done int64
	var end <-chan time.Time // nil until the burden is in effect
	quiet := time.NewTimer(b.to.patience)
	for {
		for ; opened < b.clients && opened-done < maxOpening; opened++ {
			go func() { events <- b.connection(ctx, events) }()
		}
		inEffect := false
		select {
		case <-end:
			return nil
		case <-quiet.C:
			inEffect = b.kind != "heavy" // which gives up by itself
		case err := <-events:
			if err != nil {
				return err
			}
			quiet.Reset(b.to.patience)
			done++
			inEffect = done == b.clients
		}
		if inEffect && end == nil {
			served := done
			if b.replySize == 0 {
				served = 0
			}
			fmt.Fprintf(s.out, "in effect: %s, %d served\n", count(opened, "connection"), served)
			end = time.After(b.duration)
		}
	}
}

// connection opens a connection and keeps it until that fails or ctx ends. When
// the connection is set up, it tells events.
func (b *burden) connection(ctx context.Context, events chan<- error) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", b.to.name)
	if err != nil {
		return b.to.connectError(err)
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	buf := make([]byte, min(b.replySize+100, readSize))
	if b.kind == "heavy" {
		err = b.ask(patientConn{conn, b.to.patience}, buf)
		conn.SetDeadline(time.Time{})
	} else {
		err = b.ask(conn, buf)
	}
	if err != nil {
		return err
	}
	events <- nil
	switch b.kind {
	case "slow":
		<-ctx.Done()
		return nil
	case "heavy":
		for err == nil {
			err = b.ask(conn, buf)
		}
		return err
	}
	return b.receive(conn, buf, 0)
}

// ask sends the request and receives its reply, unless none is to be read.
func (b *burden) ask(conn net.Conn, buf []byte) error {
	_, err := conn.Write(b.request)
	if err == nil && b.replySize > 0 {
		return b.receive(conn, buf, b.replySize)
	}
	return cause(err)
}

// receive reads a reply of the given size. More, or another reply, is an error.
func (b *burden) receive(conn net.Conn, buf []byte, size int64) error {
	for missing := size; ; {
		n, err := conn.Read(buf)
		if err == io.EOF {
			return errors.New("the server has closed a connection")
		}
		if err != nil {
			return cause(err)
		}
		right := missing < size || bytes.HasPrefix(buf[:n], b.reply[:min(n, len(b.reply))])
		missing -= int64(n)
		if !right || missing < 0 {
			if _, err := (resp{}).length(buf[:n]); err != nil {
				return fmt.Errorf("malformed reply: %w", err)
			}
			return fmt.Errorf("the server answers %.100q", buf[:n])
		}
		if missing == 0 {
			return nil
		}
	}
}
