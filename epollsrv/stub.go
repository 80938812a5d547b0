//go:build !linux

// Epollsrv needs epoll(7), which only Linux has. Elsewhere, run kqueuesrv.
package main

import "log"

func main() {
	log.SetFlags(0)
	log.Fatal("epollsrv: epoll is Linux's own; on this system run kqueuesrv: go run ./kqueuesrv")
}
