//go:build unix

package main

import (
	"log"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// listen returns a socket that listens on addr, and says so.
func listen(addr, proto string) int {
	check := func(err error) {
		if err != nil {
			log.Fatalf("listen %s: %v", addr, err)
		}
	}
	at, err := net.ResolveTCPAddr("tcp", addr)
	check(err)
	zone, _ := strconv.Atoi(at.Zone) // a link has a number, and a name
	if link, err := net.InterfaceByName(at.Zone); err == nil {
		zone = link.Index
	}
	ip := at.AddrPort().Addr().Unmap()
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: ip.As16(), ZoneId: uint32(zone)})
	if ip.Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: ip.As4()}
	}
	lfd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	dual := unix.SetsockoptInt(lfd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0) // :: is IPv4 too
	if dual != nil && at.IP == nil {                                        // not so on OpenBSD, or without IPv6
		return listen(net.JoinHostPort("0.0.0.0", strconv.Itoa(at.Port)), proto)
	}
	check(err)
	check(unix.SetsockoptInt(lfd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	check(unix.Bind(lfd, sa))
	check(unix.Listen(lfd, 4096)) // cut to the system's limit
	sa, _ = unix.Getsockname(lfd)
	if sa4, ok := sa.(*unix.SockaddrInet4); ok {
		at.Port = sa4.Port
	} else {
		at.Port = sa.(*unix.SockaddrInet6).Port
	}
	log.Printf("%s on %s", proto, at)
	return lfd
}
