//go:build !(darwin || dragonfly || freebsd || netbsd || openbsd || kqueue_on_epoll)

// Kqueuesrv needs kqueue(2), which macOS and the BSDs have.
package main

import "log"

func main() {
	log.SetFlags(0)
	log.Fatal("kqueuesrv: kqueue is for macOS and the BSDs; on Linux run epollsrv, elsewhere goroutinesrv")
}
