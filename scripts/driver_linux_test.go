package scripts

import "syscall"

func init() {
	emulated["kqueuesrv"] = buildKqueueOnEpoll
	procAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
