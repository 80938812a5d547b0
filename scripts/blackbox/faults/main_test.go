package faults

import (
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) { driver.Main(m) }
