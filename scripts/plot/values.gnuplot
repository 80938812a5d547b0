# Requests per second and processor time by size of the value: for each a panel for SET
# and one for GET, and in it a curve for each server.

picture = "values"
load "values.vars"
height = 740
title = "Small and large values"
note = "requests/s: higher is better; processor time: lower; all scales are logarithmic; 20 clients, stblock with 1"
load "style.gnuplot"

set logscale xy
set x2range [0:1]
set y2range [0:1] # for the names: they stand at the right end of the curves, moved apart
set xtics (3, 100, "1k" 1000, "10k" 10000, "100k" 100000, "1M" 1000000) font ",12"
set ytics font ",12"
set xlabel "bytes in the value" offset 0,0.5 textcolor rgb grey font ",12"
set format y "%.0s%c"

set multiplot
do for [metric in "rps CPU"] {
  upper = metric eq "rps"
  set yrange [value(metric."_low"):value(metric."_high")]
  set tmargin at screen upper ? 1 - 100.0 / height : 0.5 - 48.0 / height
  set bmargin at screen upper ? 0.5 + 38.0 / height : 84.0 / height
  do for [test in "SET GET"] {
    left = test eq "SET" ? 0.07 : 0.56
    set lmargin at screen left
    set rmargin at screen left + 0.29
    panel = test." ".metric
    set label 4 "{/:Bold ".test.(upper ? ": requests/s" : ": µs of processor time of the server")."}" at graph 0, graph 1 offset 0,0.9 textcolor rgb grey
    plot for [server = 1:7] "values.csv" using "bytes":(stringcolumn("panel") eq panel && column("linetype") == server ? column("figure") : NaN) with linespoints linetype server linewidth 2 pointtype 7 pointsize 0.5, \
      "" using (1):(stringcolumn("panel") eq panel ? column("name_height") : NaN):"name":"linetype" axes x2y2 with labels left offset 1,0 font ",12" textcolor variable
    unset label
  }
}
unset multiplot
