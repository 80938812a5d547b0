//go:build unix

package driver

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SmallWindow returns what connects with a window of about size bytes, and segments of
// mss bytes at the most, whatever the network can carry.
func SmallWindow(size, mss int) net.Dialer {
	return net.Dialer{Control: func(_, _ string, conn syscall.RawConn) (err error) {
		conn.Control(func(fd uintptr) {
			err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, mss))
		})
		return err
	}}
}
