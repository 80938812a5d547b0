# Requests per second, by server and workload.

picture = "throughput"
load "throughput.vars"
title = "Requests per second"
note = "longer is better; each panel has a scale of its own"
load "bars.gnuplot"
