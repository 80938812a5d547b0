package driver

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"ioflavors/respproto"
)

// A Client is one connection. Its first failure closes it, so that whatever its methods
// are asked to do then fails at once. It can be used in any goroutine that ends before
// the test does.
type Client struct {
	Conn *net.TCPConn
	Dead bool // has failed
	t    testing.TB
}

// Dial connects to s until the test ends.
func (s *Server) Dial(t testing.TB) *Client {
	t.Helper()
	return s.DialWith(t, net.Dialer{})
}

// DialWith is Dial with options.
func (s *Server) DialWith(t testing.TB, dialer net.Dialer) *Client {
	t.Helper()
	c := &Client{t: t, Conn: new(net.TCPConn)}
	dialer.Timeout = Patience
	conn, err := dialer.Dial("tcp", s.Addr)
	if err != nil {
		c.Failf("dial: %v", err)
		return c
	}
	c.Conn = conn.(*net.TCPConn) // TCP_NODELAY is on
	t.Cleanup(func() { conn.Close() })
	return c
}

// Failf reports what went wrong first: when a server ends, all its clients fail.
func (c *Client) Failf(format string, args ...any) {
	c.t.Helper()
	if !c.t.Failed() {
		c.t.Errorf(format, args...)
	}
	c.Dead = true
	c.Conn.Close()
}

// Send sends data.
func (c *Client) Send(data string) {
	c.t.Helper()
	c.Conn.SetWriteDeadline(time.Now().Add(Patience))
	if n, err := io.WriteString(c.Conn, data); err != nil {
		c.Failf("%d bytes of %d sent, %.60q: %v", n, len(data), data, err)
	}
}

// Read fills buf as far as it can.
func (c *Client) Read(buf []byte) (int, error) {
	c.Conn.SetReadDeadline(time.Now().Add(Patience))
	return io.ReadFull(c.Conn, buf)
}

// Expect reads as many bytes as want has, and compares.
func (c *Client) Expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := c.Read(got)
	if string(got[:n]) != want[:n] {
		c.Differ(want, string(got[:n]))
	} else if err != nil {
		c.Failf("waiting for %.60q: %d bytes of %d, then %v", want, n, len(want), err)
	}
}

// Differ reports a reply that is not the one that it should be, with what is around the
// first difference.
func (c *Client) Differ(want, got string) {
	c.t.Helper()
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	near := func(s string) string { return fmt.Sprintf("%q", s[max(0, i-40):min(len(s), i+200)]) }
	c.Failf("reply of %d bytes, want %d; they differ at %d (-want +got):\n%s",
		len(got), len(want), i, cmp.Diff(near(want), near(got)))
}

// Ask sends a request and reads the reply.
func (c *Client) Ask(request, want string) {
	c.t.Helper()
	c.Send(request)
	c.Expect(want)
}

// Reply reads one RESP reply, whatever it is.
func (c *Client) Reply() string {
	c.t.Helper()
	var buf []byte
	for b := make([]byte, 64<<10); ; {
		c.Conn.SetReadDeadline(time.Now().Add(Patience))
		n, err := c.Conn.Read(b)
		buf = append(buf, b[:n]...)
		whole, wrong := respproto.ReplyLen(buf)
		if whole > 0 {
			return string(buf)
		}
		if err != nil || wrong != nil {
			c.Failf("waiting for a reply: %.200q, then %v, %v", buf, err, wrong)
			return ""
		}
	}
}

// Rest reads to the end.
func (c *Client) Rest() string {
	c.t.Helper()
	c.Conn.SetReadDeadline(time.Now().Add(Patience))
	all, err := io.ReadAll(c.Conn)
	if err != nil {
		c.Failf("waiting for the server to close: %.200q, then %v", all, err)
	}
	return string(all)
}

// ExpectEnd reads the last replies, and then that the server sends no more.
func (c *Client) ExpectEnd(want string) {
	c.t.Helper()
	if got := c.Rest(); !c.Dead && got != want {
		c.Differ(want, got)
	}
}

// CloseWrite says that no more requests will come.
func (c *Client) CloseWrite() {
	c.t.Helper()
	if err := c.Conn.CloseWrite(); err != nil {
		c.Failf("%v", err)
	}
}

// Leave closes the connection.
func (c *Client) Leave() { c.Conn.Close() }

// Reset closes the connection with an RST, as a crash of the client's system does.
func (c *Client) Reset() {
	c.Conn.SetLinger(0)
	c.Conn.Close()
}
