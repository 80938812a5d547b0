# Processor time of a request, by server and workload.

picture = "cpu"
load "cpu.vars"
title = "Processor time of the server for a request"
note = "microseconds; shorter is better; each panel has a scale of its own"
load "bars.gnuplot"
