//go:build linux

package main

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// findLines finds the lines of the calls' stacks in the source of a program, but for what the
// compiler has made up.
func findLines(program string, calls []call) {
	file, err := elf.Open(program)
	check(err)
	defer file.Close()
	symbols, err := file.Symbols()
	check(err)
	text := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == "runtime.text" })
	lines := slices.IndexFunc(file.Sections, func(s *elf.Section) bool { return strings.HasSuffix(s.Name, ".gopclntab") })
	data, err := file.Sections[lines].Data()
	check(err)
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, symbols[text].Value))
	check(err)
	for i, c := range calls {
		for _, at := range c.stack {
			name, offset, _ := strings.Cut(at, "+0x")
			n, err := strconv.ParseUint(offset, 16, 64)
			check(err)
			function := table.LookupFunc(name)
			if function == nil {
				check(fmt.Errorf("%s is not in its table of lines", name))
			}
			// The address is behind the call, and may be on the next line.
			if file, line, _ := table.PCToLine(function.Entry + n - 1); strings.HasSuffix(file, ".go") {
				calls[i].lines = append(calls[i].lines, fmt.Sprintf("%s:%d", filepath.Base(file), line))
			}
		}
	}
}
