//go:build unix

package main

import (
	"log"
	"net"

	"golang.org/x/sys/unix"
)

// listen returns a socket that listens on addr, and logs the address that it has.
func listen(addr, proto string) int {
	check := func(err error) {
		if err != nil {
			log.Fatalf("listen %s: %v", addr, err)
		}
	}
	at, err := net.ResolveTCPAddr("tcp", addr)
	check(err)
	on := new(net.Interface)
	if at.Zone != "" {
		on, err = link(at.Zone)
		check(err)
	}
	ip := at.AddrPort().Addr().Unmap()
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: ip.As16(), ZoneId: uint32(on.Index)})
	if ip.Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: ip.As4()}
	}
	ln, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	dual := unix.SetsockoptInt(ln, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0) // let the address :: accept IPv4 too
	if at.IP == nil && dual != nil {                                       // OpenBSD refuses, as does a kernel without IPv6
		return listen("0.0.0.0"+addr, proto)
	}
	check(err)
	check(unix.SetsockoptInt(ln, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	unix.SetsockoptInt(ln, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1) // accepted sockets inherit these two
	unix.SetsockoptInt(ln, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	check(unix.Bind(ln, sa))
	check(unix.Listen(ln, 4096)) // or as many as the system allows
	sa, _ = unix.Getsockname(ln)
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		at = &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		at = &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: on.Name}
	}
	log.Printf("%s on %s", proto, at)
	return ln
}
