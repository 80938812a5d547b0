package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// start reads the flags, sets answer, and lets SIGINT and SIGTERM end the process.
func start(name, model string) (addr, proto string) {
	log.SetFlags(0)
	log.SetPrefix(name + ": ")
	flag.Usage = func() {
		log.Printf("a key-value server with %s", model)
		flag.PrintDefaults()
	}
	flag.StringVar(&addr, "addr", "127.0.0.1:6379", "listen on `host:port`; port 0 takes a free one")
	flag.StringVar(&proto, "proto", "resp", "speak `protocol` resp (Redis) or kv (protobuf)")
	flag.Parse()
	answer = map[string]func(*session) int{"resp": (*session).answerRESP, "kv": (*session).answerKV}[proto]
	if _, _, err := net.SplitHostPort(addr); err != nil || answer == nil || flag.NArg() > 0 {
		log.Printf("want -addr 127.0.0.1:6380, or :6380 for all addresses; -proto resp or kv; and nothing else. Got %q", os.Args[1:])
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() { <-stop; os.Exit(0) }()
	signal.Ignore(syscall.SIGPIPE) // in case nobody reads the log
	os.Pipe()                      // opens the runtime's poller: later, with no descriptor left, that would be fatal
	return addr, proto
}

// link returns the network interface with the given name or number.
func link(zone string) (*net.Interface, error) {
	if index, err := strconv.Atoi(zone); err == nil {
		return net.InterfaceByIndex(index)
	}
	return net.InterfaceByName(zone)
}
