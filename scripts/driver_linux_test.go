package scripts

func init() { emulated["kqueuesrv"] = buildKqueueOnEpoll }
