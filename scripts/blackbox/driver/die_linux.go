package driver

import "syscall"

func init() { procAttr.Pdeathsig = syscall.SIGKILL }
