//go:build race

package scripts

func init() { race = true }
