package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os/exec"
)

// A cost is a figure, as text, of each flavor that was measured.
type cost struct {
	Figure string            `json:"figure"`
	Values map[string]string `json:"values"`
}

// readCosts returns what scripts/table makes of the results.
func readCosts(dir string) (costs []cost, err error) {
	cmd := exec.Command("go", "run", "./scripts/table", "costs", "scripts/results")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %v: %s", cmd, err, bytes.TrimSpace(stderr.Bytes()))
	}
	records, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	for _, record := range records[1:] {
		if len(costs) == 0 || costs[len(costs)-1].Figure != record[0] {
			costs = append(costs, cost{record[0], map[string]string{}})
		}
		costs[len(costs)-1].Values[record[1]] = record[2]
	}
	return costs, nil
}
