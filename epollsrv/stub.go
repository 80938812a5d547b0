//go:build !linux

// Epollsrv needs epoll(7), which only Linux has.
package main

import "log"

func main() {
	log.SetFlags(0)
	log.Fatal("epollsrv: epoll is Linux's own; on macOS and the BSDs run kqueuesrv, elsewhere goroutinesrv")
}
