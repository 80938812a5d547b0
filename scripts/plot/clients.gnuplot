# Requests per second by number of clients, a curve for each server.

picture = "clients"
load "clients.vars"
height = 430
title = "Requests per second by number of clients"
note = "GET, one request at a time on each connection; higher is better"
load "style.gnuplot"

set tmargin at screen 1 - 76.0 / height
set bmargin at screen 84.0 / height
set lmargin at screen 0.085
set rmargin at screen 0.79
set logscale x
set xrange [0.9:1.001 * right] # where the curves end, and the names begin
set yrange [low:high]
set x2range [0:1]
set y2range [0:1] # for the names: they stand at the right end of the curves, moved apart
set xtics (1, 2, 5, 10, 20, 50, 100, 500, "1k" 1000)
set format y "%.0s%c"
set xlabel "clients" offset 0,0.5 textcolor rgb grey

# Who serves one client only has a point, and its name above, with a line between them.
single(y) = column("single") == 1 ? y : NaN
plot for [server = 1:7] "clients.csv" using "clients":(column("linetype") == server ? column("rps") : NaN) with linespoints linetype server linewidth 2 pointtype 7 pointsize 0.6, \
  "" using (1):"name_height":"name":"linetype" axes x2y2 with labels left offset 1.2,0 textcolor variable, \
  "" using "clients":(single(column("rps"))):"linetype" with points pointtype 7 pointsize 1.1 linecolor variable, \
  "" using "clients":(single(column("rps"))):(0):(0.92 * high - column("rps")):"linetype" with vectors nohead linecolor variable, \
  "" using "clients":(single(0.96 * high)):(stringcolumn("name").", with one client only"):"linetype" with labels left textcolor variable
