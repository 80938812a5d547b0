# Memory by number of idle clients, a curve for each server.

picture = "memory"
load "memory.vars"
height = 430
title = "Memory of the server with idle clients"
note = "MB resident; lower is better; both scales are logarithmic".single
load "style.gnuplot"

set tmargin at screen 1 - 76.0 / height
set bmargin at screen 84.0 / height
set lmargin at screen 0.085
set rmargin at screen 0.765
set logscale xy
set xrange [*:1.001 * right] # where the curves end, and the names begin
set yrange [low:high]
set y2range [0:1] # for the names: they stand at the right end of the curves, moved apart
set x2range [0:1]
set format x "%.0s%c"
set format y "%g MB"
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
set xlabel "idle clients, each of which has been served" offset 0,0.5 textcolor rgb grey

plot for [server = 1:7] "memory.csv" using "clients":(column("linetype") == server ? column("mb") : NaN) with linespoints linetype server linewidth 2 pointtype 7 pointsize 0.6, \
  "" using (1):"name_height":"name":"linetype" axes x2y2 with labels left offset 1.2,0 textcolor variable
