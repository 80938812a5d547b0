package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os/exec"
)

// readCosts returns what scripts/table makes of the results: for each pair of flavors, by
// "left..right", the figures as [figure, left value, right value].
func readCosts(dir string) (map[string][][]string, error) {
	cmd := exec.Command("go", "run", "./scripts/table", "costs", "scripts/results")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %v: %s", cmd, err, bytes.TrimSpace(stderr.Bytes()))
	}
	in := csv.NewReader(bytes.NewReader(out))
	in.FieldsPerRecord = 5 // left, right, figure, left value, right value
	records, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	costs := map[string][][]string{}
	for _, r := range records {
		pair := r[0] + ".." + r[1]
		costs[pair] = append(costs[pair], r[2:])
	}
	return costs, nil
}
