package main

import (
	"context"
	"errors"
	"log"
	"net"
	"syscall"
)

// listen returns a socket that listens on addr, and logs the address that it has.
func listen(addr, proto string) *net.TCPListener {
	check := func(err error) {
		if err != nil {
			log.Fatalf("listen %s: %v", addr, reason(err))
		}
	}
	at, err := net.ResolveTCPAddr("tcp", addr)
	check(err)
	if at.Zone != "" {
		_, err = link(at.Zone)
		check(err)
	}
	network := "tcp"
	if at.IP.To4() != nil {
		network = "tcp4" // otherwise 0.0.0.0 would accept IPv6 as well
	}
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}}
	config.SetMultipathTCP(false) // plain TCP and the system's keep-alive times, as elsewhere
	ln, err := config.Listen(context.Background(), network, at.String())
	check(err)
	log.Printf("%s on %s", proto, ln.Addr())
	return ln.(*net.TCPListener)
}

// reason returns what the system said, without what package net adds to it.
func reason(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
