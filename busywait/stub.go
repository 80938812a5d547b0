//go:build !unix

package main

import "log"

func main() {
	log.SetFlags(0)
	log.Fatal("this flavor needs the sockets of Unix; goroutinesrv runs here: go run ./goroutinesrv")
}
