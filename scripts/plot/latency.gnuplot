# Percentiles of the latency, by server, of the workload in latency.vars.

picture = "latency"
load "latency.vars"
title = "Latency of a request, ".workload
note = "milliseconds, on a logarithmic scale; left is better"
height = 146 + 30 * rows
load "style.gnuplot"

set tmargin at screen 1 - 92.0 / height
set bmargin at screen 62.0 / height
set lmargin at screen 0.135
set rmargin at screen 0.965
set logscale x
set xrange [low:high]
set yrange [rows + 0.6:0.4]
set format x "%g ms"
if (high < 2000 * low) { # there is room for more than the powers of ten
  set xtics (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
}
unset ytics
set grid noytics
set key at graph 1, graph 1 right bottom horizontal maxrows 1 samplen 1 width -1 textcolor rgb grey

plot "latency.csv" using "p50_ms":"row":(column("max_ms") - column("p50_ms")):(0):"linetype" with vectors nohead linecolor variable linewidth 2 notitle, \
  "" using "p50_ms":"row":"linetype" with points pointtype 7 pointsize 1 linecolor variable notitle, \
  "" using "p95_ms":"row":"linetype" with points pointtype 9 pointsize 1.1 linecolor variable notitle, \
  "" using "p99_ms":"row":"linetype" with points pointtype 5 pointsize 1 linecolor variable notitle, \
  "" using "max_ms":"row":("|"):"linetype" with labels font ",16" textcolor variable notitle, \
  "" using (low):"row":"server" with labels right offset -1,0 textcolor rgb grey notitle, \
  "" using (low):"row":"missing" with labels left offset 1,0 textcolor rgb grey notitle, \
  NaN with points pointtype 7 linecolor rgb grey title "p50", \
  NaN with points pointtype 9 linecolor rgb grey title "p95", \
  NaN with points pointtype 5 linecolor rgb grey title "p99", \
  NaN with lines linecolor rgb grey linewidth 2 title "to the maximum"
