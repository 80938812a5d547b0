package history

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ioflavors/kvproto"
	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) { driver.Main(m) }

const clients = 16

// TestHistory has clients work on a few keys at once.
func TestHistory(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		keys, err := record(s, d, 0)
		if err != nil {
			t.Fatal(err)
		}
		for key, ops := range keys {
			if t.Logf("%s: %d requests", key, len(ops)); !Explain(ops) {
				t.Errorf("%s: no order of %d requests explains the replies", key, len(ops))
			}
		}
	})
}

// TestUnlocked takes mtblock's lock away, which must be seen: in a reply that nothing
// explains, or because the runtime ends the server.
func TestUnlocked(t *testing.T) {
	mtblock := func(f driver.Flavor) bool { return f.Name == "mtblock" }
	driver.EachFlavor(t, mtblock, func(t *testing.T, f driver.Flavor) {
		s := driver.Launch(t, f, "resp", unlocked(t, f), "-addr", "127.0.0.1:0")
		s.MayFail = true
		for end := time.Now().Add(driver.Patience); time.Now().Before(end); {
			keys, err := record(s, driver.RESP, time.Now().UnixNano())
			if err != nil {
				t.Logf("the server ended: %v: %.100s", err, s.Logged())
				return
			}
			for key, ops := range keys {
				if !Explain(ops) {
					t.Logf("%s: no order explains the replies", key)
					return
				}
			}
		}
		t.Error("nobody noticed that there is no lock")
	})
}

// unlocked builds f without its lock.
func unlocked(t *testing.T, f driver.Flavor) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), f.Name)
	err := f.Build(binary, func(source string) string {
		for _, call := range []string{"\tmu.Lock()\n", "\tmu.Unlock()\n"} {
			if !strings.Contains(source, call) {
				t.Fatalf("%s has no %q", f.Name, call)
			}
			source = strings.ReplaceAll(source, call, "")
		}
		return source
	})
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// A history is what clients saw, by key.
type history struct {
	mu   sync.Mutex
	keys map[string][]Op
}

// record has clients make random requests, and returns what they saw of keys that
// nobody used before with this seed.
func record(s *driver.Server, d driver.Dialect, seed int64) (map[string][]Op, error) {
	h := history{keys: map[string][]Op{}}
	errs := make([]error, clients)
	s.Meet(clients, func(i int) {
		conn, err := net.DialTimeout("tcp", s.Addr, driver.Patience)
		if err != nil {
			errs[i] = err
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(driver.Patience))
		c := client{conn: conn, d: d, number: i, rnd: rand.New(rand.NewPCG(uint64(seed), uint64(i)))}
		for range 60 {
			if errs[i] = c.talk(&h, seed); errs[i] != nil {
				return
			}
		}
	})
	return h.keys, errors.Join(errs...)
}

// A client has one connection.
type client struct {
	conn   net.Conn
	d      driver.Dialect
	number int
	rnd    *rand.Rand
	buf    []byte // replies, or the beginning of one
	values int    // that it has made
}

var began = time.Now()

// talk sends some requests at once, and puts down what it sent and received.
func (c *client) talk(h *history, seed int64) error {
	var ops []Op
	var keys []string
	var all string
	for range 1 + c.rnd.IntN(3) {
		key, op, request := c.request(seed)
		keys, ops, all = append(keys, key), append(ops, op), all+request
	}
	sent := time.Since(began)
	if _, err := c.conn.Write([]byte(all)); err != nil {
		return err
	}
	for i := range ops {
		reply, err := c.reply()
		if err != nil {
			return err
		}
		ops[i].Sent, ops[i].Done, ops[i].Reply = int64(sent), int64(time.Since(began)), reply
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, op := range ops {
		h.keys[keys[i]] = append(h.keys[keys[i]], op)
	}
	return nil
}

// request makes a request. What it stores is a number or a long word, and like no other.
func (c *client) request(seed int64) (key string, op Op, text string) {
	key = fmt.Sprintf("key%d.%d", seed, c.rnd.IntN(3))
	kind := c.rnd.IntN(5)
	if c.d.Name == "kv" {
		kind = c.rnd.IntN(2)
	}
	op = Op{Client: c.number, Name: []string{"GET", "SET", "INCR", "INCR", "DEL"}[kind]}
	if kind == 0 {
		return key, op, c.d.Get(key)
	}
	if kind > 1 {
		return key, op, driver.Command(op.Name, key)
	}
	c.values++
	op.Value = fmt.Sprint(1000*c.number + c.values)
	if c.rnd.IntN(2) == 0 {
		op.Value = strings.Repeat(op.Value+" ", 1+c.rnd.IntN(500))
	}
	return key, op, c.d.Put(key, op.Value)
}

// reply reads a reply and puts it as an Op has it.
func (c *client) reply() (string, error) {
	for room := make([]byte, 64<<10); ; {
		reply, n, err := parse(c.d, c.buf)
		if n > 0 || err != nil {
			c.buf = c.buf[max(n, 0):]
			return reply, err
		}
		if n, err = c.conn.Read(room); err != nil {
			return "", err
		}
		c.buf = append(c.buf, room[:n]...)
	}
}

// parse returns the first reply in buf, and its length; 0 if it is not whole.
func parse(d driver.Dialect, buf []byte) (reply string, n int, err error) {
	if d.Name == "kv" {
		m, n, err := kvproto.Parse(buf)
		if m.Kind == kvproto.PutOrUpdate && m.Status == kvproto.Ok {
			return "OK", n, err
		}
		return string(m.Value), n, err
	}
	if n, err = respproto.ReplyLen(buf); n <= 0 || err != nil {
		return "", n, err
	}
	line, rest, _ := strings.Cut(string(buf[:n]), "\r\n")
	switch line[0] {
	case '-':
		return "ERR", n, nil
	case '$':
		return strings.TrimSuffix(rest, "\r\n"), n, nil
	}
	return line[1:], n, nil
}
