//go:build unix

package driver

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SmallWindow returns what connects with a window of about size bytes, and segments of
// mss bytes at the most, whatever the network can carry.
func SmallWindow(size, mss int) net.Dialer {
	return net.Dialer{Control: func(_, _ string, conn syscall.RawConn) error {
		var err error
		conn.Control(func(fd uintptr) {
			for _, o := range [][3]int{
				{unix.SOL_SOCKET, unix.SO_RCVBUF, size},
				{unix.IPPROTO_TCP, unix.TCP_MAXSEG, mss},
				{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
			} {
				if e := unix.SetsockoptInt(int(fd), o[0], o[1], o[2]); e != nil {
					err = fmt.Errorf("setsockopt %v: %w", o, e)
				}
			}
		})
		return err
	}}
}
