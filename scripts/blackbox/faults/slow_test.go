//go:build unix

package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) { driver.Main(m) }

// TestSlowReaders has clients with small windows and segments ask for more than they
// read, and others ask and read meanwhile. The kernel's room for replies may end at any
// byte of one, and where segments are filled by whole replies, behind its last.
func TestSlowReaders(t *testing.T) {
	const pairs, asked, rounds = 4, 300, 4
	const stamp = 12 // bytes of each segment are TCP's timestamp
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		for _, d := range driver.Both {
			s := driver.Start(t, f, d.Name)
			driver.Together(pairs, func(i int) {
				rnd := rand.New(rand.NewPCG(uint64(i), 0))
				for range rounds {
					mss := []int{536, 1460}[rnd.IntN(2)]
					size := (mss-stamp)*(1+rnd.IntN(4))/2 + max(0, rnd.IntN(6)-3)
					slow := newOwner(t, s, d, fmt.Sprint("slow", i), size, driver.SmallWindow(4096, mss))
					fast := newOwner(t, s, d, fmt.Sprint("fast", i), size, net.Dialer{})
					for range asked {
						slow.ask()
						fast.ask()
						fast.read()
					}
					slow.read()
				}
			})
		}
	})
}

// An owner is a client that asks for a value of its own.
type owner struct {
	client         *driver.Client
	request, reply string
	asked          int // requests whose replies it has not read
}

// newOwner has a client store a value such that the reply to Get has size bytes.
func newOwner(t *testing.T, s *driver.Server, d driver.Dialect, name string, size int, dialer net.Dialer) *owner {
	c := s.DialWith(t, dialer)
	value := strings.Repeat(name, size)[:size]
	value = value[:2*size-len(d.Value(name, value))]
	c.Ask(d.Put(name, value), d.OK)
	return &owner{client: c, request: d.Get(name), reply: d.Value(name, value)}
}

func (o *owner) ask() {
	o.client.Send(o.request)
	o.asked++
}

// read reads all that o has asked for.
func (o *owner) read() {
	for ; o.asked > 0; o.asked-- {
		o.client.Expect(o.reply)
	}
}
