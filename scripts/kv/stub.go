//go:build !unix

// Kv waits for its sockets with poll(2), which only unix systems have.
package main

import "log"

func main() {
	log.SetFlags(0)
	log.Fatal("kv: it needs poll(2), which this system lacks; on Windows, run it in WSL")
}
