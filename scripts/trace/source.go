//go:build linux

package main

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"path/filepath"
)

// A source knows which line of a program's source an instruction belongs to.
type source struct{ *gosym.Table }

func readSource(program string) (s source, err error) {
	file, err := elf.Open(program)
	if err != nil {
		return s, err
	}
	defer file.Close()
	section := file.Section(".gopclntab")
	symbols, err := file.Symbols()
	if section == nil || err != nil {
		return s, fmt.Errorf("it has no table of lines: %v", err)
	}
	data, err := section.Data()
	if err != nil {
		return s, err
	}
	var text uint64
	for _, symbol := range symbols {
		if symbol.Name == "runtime.text" {
			text = symbol.Value
		}
	}
	s.Table, err = gosym.NewTable(nil, gosym.NewLineTable(data, text))
	return s, err
}

// findLines finds the lines of the calls' stacks, but for what the compiler has made up.
func findLines(program string, calls []call) error {
	s, err := readSource(program)
	if err != nil {
		return err
	}
	for i, c := range calls {
		for _, f := range c.stack {
			function := s.LookupFunc(f.function)
			if function == nil {
				return fmt.Errorf("no function %s is in its table of lines", f.function)
			}
			// The address is behind the call, and may be on the next line.
			if file, n, _ := s.PCToLine(function.Entry + f.offset - 1); filepath.Ext(file) == ".go" {
				calls[i].lines = append(calls[i].lines, fmt.Sprintf("%s:%d", filepath.Base(file), n))
			}
		}
	}
	return nil
}
